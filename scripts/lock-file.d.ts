/** Types of lock-file.js. */
export interface LockEntry {
  version?: string;
  dev?: boolean;
  optional?: boolean;
  os?: string[];
  cpu?: string[];
  libc?: string[];
  optionalDependencies?: Record<string, string>;
}
export interface Lock {
  packages: Record<string, LockEntry>;
}
export interface MissingBuild {
  name: string;
  version: string;
  dev: boolean;
}
export function missingOptional(lock: Lock): MissingBuild[];
export function platformEntry(missing: MissingBuild): LockEntry;
export function completeLock(lock: Lock): Lock;
