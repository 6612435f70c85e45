/** Of Dawn's device and of tfjs's backend on it, what is used here: tfjs does not declare it. */
import type * as tf from '@tensorflow/tfjs-core';

export interface GpuDevice {
  lost: Promise<{ reason: string; message: string }>;
  queue: { onSubmittedWorkDone(): Promise<void> };
  addEventListener(type: 'uncapturederror', listener: (event: { error: { message: string }; preventDefault(): void }) => void): void;
  destroy(): void;
}

export interface Buffers {
  freeBuffers: Map<string, { destroy(): void; size: number }[]>;
  numFreeBuffers: number;
  numBytesAllocated: number;
  numBytesUsed: number;
}

/** tfjs's backend; any program can be run through it. */
export interface WebgpuBackend extends tf.KernelBackend {
  device: GpuDevice;
  bufferManager: Buffers;
  /** Below so many groups of a product tfjs looks for ways to have more. */
  thresholdToIncreaseWorkgroups: number;
  /** Null where nothing waits to be submitted. */
  commandEncoder: object | null;
  endComputePassEncoder(): void;
  submitQueue(): void;
  runWebGPUProgram(
    program: object,
    inputs: tf.TensorInfo[],
    dtype: tf.DataType,
    uniforms?: { type: string; data: number[] }[],
    output?: tf.TensorInfo,
  ): tf.TensorInfo;
}
