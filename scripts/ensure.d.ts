/** Types of ensure.js, which stays plain JavaScript because the Node that starts it may be 20. */
export const root: string;
export function bundledNode(folder: string, platform?: NodeJS.Platform): string;
export interface LockFile {
  packages?: Record<string, { version?: string; optional?: boolean; devOptional?: boolean }>;
}
export function missingPackages(lock: LockFile, installed: LockFile | null): string[];
export function plan(found: { missing: string[]; hasModules: boolean; hasNode: boolean }): {
  install: 'ci' | 'install' | null;
  node: boolean;
};
export function npmCommand(env?: NodeJS.ProcessEnv, platform?: NodeJS.Platform): { command: string; args: string[]; shell: boolean };
export function ensure(): string;
export function handOver(script: string, args: string[]): void;
