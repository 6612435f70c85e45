/** The import table of `.dependency-cruiser.cjs`, applied to a folder laid out like the checkout. */
import { existsSync } from 'node:fs';
import { copyFile, glob, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { cruise, type ICruiseOptions, type IFlattenedRuleSet } from 'dependency-cruiser';
import { importsOfTsx } from './tsx-imports.ts';

const root = dirname(import.meta.dirname);
const roomFolders = ['main', 'shared', 'preload', 'renderer'];

interface RuleFile extends IFlattenedRuleSet {
  options: ICruiseOptions;
}

export interface ImportViolation {
  rule: string;
  from: string;
  to: string;
  comment: string;
}

export interface ImportReport {
  /** Source files of ours that were read. */
  read: number;
  /** Source files that are there: less read than there would be a check that sees nothing and passes. */
  present: number;
  violations: ImportViolation[];
}

/** Copies the sources of the rooms, TSX reduced to its imports, and gives their paths. */
async function mirror(from: string, to: string): Promise<string[]> {
  const paths: string[] = [];
  for await (const path of glob(
    roomFolders.map((room) => `${room}/**/*.{ts,tsx,css,json}`),
    { cwd: from },
  )) {
    await mkdir(dirname(join(to, path)), { recursive: true });
    if (path.endsWith('.tsx')) await writeFile(join(to, path), importsOfTsx(await readFile(join(from, path), 'utf8')));
    else await copyFile(join(from, path), join(to, path));
    if (/(?<!\.d)\.tsx?$/.test(path)) paths.push(path);
  }
  await copyFile(join(root, 'package.json'), join(to, 'package.json'));
  await symlink(join(root, 'node_modules'), join(to, 'node_modules'), 'junction');
  return paths;
}

/** Reads every source file of the rooms below `folder` and reports the imports that break a rule. */
export async function checkImports(folder: string = root): Promise<ImportReport> {
  const { forbidden, options } = createRequire(import.meta.url)(join(root, '.dependency-cruiser.cjs')) as RuleFile;
  const copy = await mkdtemp(join(tmpdir(), 'import-table-'));
  try {
    const present = await mirror(folder, copy);
    const there = roomFolders.filter((room) => existsSync(join(copy, room)));
    const { output } = await cruise(there, { ...options, baseDir: copy, validate: true, ruleSet: { forbidden } });
    if (typeof output === 'string') throw new Error(`dependency-cruiser gave text instead of a report: ${output.slice(0, 200)}`);
    const comments = new Map(forbidden?.map((rule) => [rule.name, rule.comment ?? '']));
    const read = new Set(output.modules.map((module) => module.source));
    return {
      read: present.filter((path) => read.has(path)).length,
      present: present.length,
      violations: output.summary.violations.map(({ rule, from, to }) => ({
        rule: rule.name,
        from,
        to,
        comment: comments.get(rule.name) ?? '',
      })),
    };
  } finally {
    await rm(copy, { recursive: true, force: true });
  }
}
