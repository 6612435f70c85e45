/** JSON with comments and trailing commas, as configs are written. */
import { type Node, type ParseError, parseTree, printParseErrorCode } from 'jsonc-parser';
import { InputError } from './input-error.ts';

/** What the parser says of a mistake, in words. */
const REASONS: Record<string, string> = {
  InvalidSymbol: 'this is no JSON value; texts stand in double quotes',
  InvalidNumberFormat: 'this is not a number',
  PropertyNameExpected: 'a name in double quotes is expected here',
  ValueExpected: 'a value is expected here',
  ColonExpected: 'a colon is expected here',
  CommaExpected: 'a comma is expected here',
  CloseBraceExpected: 'a closing } is missing',
  CloseBracketExpected: 'a closing ] is missing',
  EndOfFileExpected: 'the text should have ended here',
  InvalidCommentToken: 'this comment is not closed or not written as // or /* */',
  UnexpectedEndOfComment: 'a comment is not closed',
  UnexpectedEndOfString: 'a text is not closed by a double quote',
  UnexpectedEndOfNumber: 'a number ends too early',
  InvalidUnicode: 'a \\u escape has four hexadecimal digits',
  InvalidEscapeCharacter: 'this escape is not known in JSON; a backslash itself is written \\\\',
  InvalidCharacter: 'a control character must be written as an escape',
};

/** `line 3, column 7`, both from 1. */
function place(text: string, offset: number): string {
  const before = text.slice(0, offset);
  return `line ${before.split('\n').length}, column ${offset - before.lastIndexOf('\n')}`;
}

/** The value of JSON text with comments. Errors: an InputError that names the source, line and column, for a wrong text and for a key given twice. */
export function parseJsonc(source: string, what: string): unknown {
  const text = source.replace(/^\uFEFF/, '');
  if (text.trim() === '') throw new InputError(`${what} is not JSON: it is empty`);
  const errors: ParseError[] = [];
  const tree = parseTree(text, errors, { allowTrailingComma: true });
  const [first] = errors;
  if (first) {
    const reason = REASONS[printParseErrorCode(first.error)] ?? 'it cannot be read';
    throw new InputError(`${what} is not JSON: ${place(text, first.offset)}: ${reason}`);
  }
  if (!tree) throw new InputError(`${what} is not JSON: it holds nothing but comments`);
  return jsonValue(tree, text, what);
}

function jsonValue(node: Node, text: string, what: string): unknown {
  if (node.type === 'array') return (node.children ?? []).map((child) => jsonValue(child, text, what));
  if (node.type !== 'object') return node.value;
  const object: Record<string, unknown> = {};
  for (const { children } of node.children ?? []) {
    const [name, value] = children as [Node, Node];
    const key: string = name.value;
    if (Object.hasOwn(object, key)) {
      throw new InputError(`${what}: ${place(text, name.offset)}: "${key}" is given a second time; keep one`, key);
    }
    // Plain assignment would take "__proto__" for the prototype.
    Object.defineProperty(object, key, { value: jsonValue(value, text, what), enumerable: true, writable: true, configurable: true });
  }
  return object;
}
