/** What a padded policy computes on: one started tfjs backend. */
import type { Ops } from '../ops/ops.ts';

export interface Device {
  /** As `describe()` names it. */
  name: 'tfjs-tensorflow' | 'tfjs-webgpu' | 'tfjs-cpu';
  /** The device in words. */
  what: string;
  ops: Ops;
  /** Most bytes that it can hold; null where it cannot tell. */
  memoryLimit: number | null;
  /** Errors: Error when the device is lost or has run out of memory. */
  check(): void;
  /** What the device knows about a failure, else the failure itself. */
  explain(error: unknown): unknown;
}
