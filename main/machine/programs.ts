/**
 * The Node and the programs that processes of ours are made of. From a checkout and from the assembled runner they lie round this file;
 * a shell that is bundled, or is no Node itself, says where instead.
 */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Programs that others start by path, below the root. */
export const PROGRAMS = [
  'main/runner/main',
  'main/runner/service',
  'main/runner/fetch-model',
  'main/runner/backend-trial',
  'main/machine/launcher',
  'main/machine/pod-guard',
  'main/machine/attend',
  'main/machine/queue',
  'main/policy/tfjs/replica-worker',
  'main/policy/tfjs/tensorflow-check',
  'main/policy/tfjs/webgpu-check',
  'main/workbench/datasets-contamination-worker',
  'main/workbench/compare-worker',
] as const;
export type ProgramName = (typeof PROGRAMS)[number];

let shellRoot: string | null = null;

/** Takes programs and Node from a checkout, or from what scripts/assemble-runner.ts laid out; null: from round this file again. */
export function useProgramRoot(root: string | null): void {
  shellRoot = root;
}

const programRoot = (): string => shellRoot ?? dirname(dirname(import.meta.dirname));

/** Path of a program, as source where there is one, else as it was assembled. Errors: there is neither. */
export function programPath(name: ProgramName): string {
  const root = programRoot();
  const found = ['ts', 'js'].map((ending) => join(root, `${name}.${ending}`)).find((path) => existsSync(path));
  if (found === undefined) throw new Error(`${name} is not below ${root}: this installation is not whole; install it again`);
  return found;
}

/** The Node that runs them: this process's own, or under a shell that named a root, the one that lies there. Errors: there is none. */
export function nodeProgram(platform: NodeJS.Platform = process.platform): string {
  if (shellRoot === null) return process.execPath;
  const name = platform === 'win32' ? 'node.exe' : 'node';
  const places = [join(shellRoot, name), join(shellRoot, 'node_modules', 'node', 'bin', name)];
  const found = places.find((path) => existsSync(path));
  if (found === undefined) throw new Error(`there is no Node at ${places.join(' or ')}: this installation is not whole; install it again`);
  return found;
}
