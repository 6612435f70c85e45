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
  /** Rows are filled up to a multiple of this: a device that keeps something for each shape shall meet few. */
  lengthStep: number;
  /** Errors: DeviceFailure once the device has failed, as far as is known yet. */
  check(): void;
  /** Waits until all that was asked for is done. Errors: DeviceFailure. */
  settle(): Promise<void>;
  /** What the device knows about a failure, else the failure itself. */
  explain(error: unknown): unknown;
}
