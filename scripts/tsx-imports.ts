/** The imports of a TSX file alone: dependency-cruiser's reader of TypeScript does not know JSX. */
import { parseSync } from '@swc/core';

interface ImportStatement {
  type: 'ImportDeclaration' | 'ExportNamedDeclaration' | 'ExportAllDeclaration';
  source?: { value: string } | null;
  typeOnly?: boolean;
}
interface ImportCall {
  type: 'CallExpression';
  callee: { type: string };
  arguments: { expression: { type: string; value?: unknown } }[];
}

const isNode = (value: unknown): value is { type: string } =>
  typeof value === 'object' && value !== null && typeof (value as { type?: unknown }).type === 'string';

/** Every syntax node below `value`, itself included. */
function* nodes(value: unknown): Generator<{ type: string }> {
  if (typeof value !== 'object' || value === null) return;
  if (isNode(value)) yield value;
  for (const child of Object.values(value)) yield* nodes(child);
}

/** TypeScript source with the same imports as `source` and nothing else. */
export function importsOfTsx(source: string): string {
  const lines: string[] = [];
  for (const node of nodes(parseSync(source, { syntax: 'typescript', tsx: true, target: 'es2022' }).body)) {
    if (/^(ImportDeclaration|ExportNamedDeclaration|ExportAllDeclaration)$/.test(node.type)) {
      const { source: from, typeOnly } = node as ImportStatement;
      if (from) lines.push(typeOnly ? `import type {} from ${JSON.stringify(from.value)};` : `import ${JSON.stringify(from.value)};`);
    } else if (node.type === 'CallExpression') {
      const call = node as ImportCall;
      const path = call.arguments[0]?.expression;
      if (call.callee.type === 'Import' && path?.type === 'StringLiteral') lines.push(`import(${JSON.stringify(path.value)});`);
    }
  }
  return `${lines.join('\n')}\n`;
}
