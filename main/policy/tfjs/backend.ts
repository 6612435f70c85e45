/** tfjs's WebAssembly backend with our kernels beside its own, and tensors of it seen as addresses in its memory. */

import { setThreadsCount } from '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import { type Address, type Kernels, loadKernels } from './kernels.ts';

/** The part of the backend that tfjs does not declare in its types. */
interface WasmBackend extends tf.KernelBackend {
  wasm: { asm: { memory: WebAssembly.Memory } };
  makeOutput(shape: number[], dtype: tf.DataType): tf.TensorInfo;
  getMemoryOffset(dataId: tf.DataId): number;
}

/** Largest memory that WebAssembly with 32-bit addresses can hold. */
export const MEMORY_LIMIT = 2 ** 32;

export interface Backend {
  kernels: Kernels;
  memory: WebAssembly.Memory;
  /** A tensor whose contents are whatever was in memory. */
  allocate(shape: number[], dtype: 'float32' | 'int32'): tf.Tensor;
  address(tensor: tf.Tensor): Address;
}

let ready: Promise<Backend> | undefined;

/** The backend, started at the first call. Errors: Error when the backend cannot start or is not the tfjs version that we know. */
export function startBackend(): Promise<Backend> {
  ready ??= start();
  return ready;
}

async function start(): Promise<Backend> {
  setThreadsCount(1);
  if (!(await tf.setBackend('wasm'))) throw new Error('the tfjs wasm backend did not start');
  const backend = tf.backend() as unknown as WasmBackend;
  const memory = backend.wasm?.asm?.memory;
  if (!(memory instanceof WebAssembly.Memory)) {
    throw new Error(`tfjs ${tf.version_core}: its wasm backend does not show its memory; this program knows 4.22.0`);
  }
  return {
    kernels: await loadKernels(memory),
    memory,
    allocate(shape, dtype) {
      const tensor = tf.engine().makeTensorFromTensorInfo(backend.makeOutput(shape, dtype));
      if (backend.getMemoryOffset(tensor.dataId) === 0) {
        tensor.dispose();
        const mega = Math.ceil((4 * shape.reduce((a, b) => a * b, 1)) / 2 ** 20);
        throw new Error(
          `out of memory: ${mega} MiB more do not fit into the wasm backend's 4 GiB. Use smaller batches or a smaller model.`,
        );
      }
      return tensor;
    },
    address: (tensor) => backend.getMemoryOffset(tensor.dataId),
  };
}
