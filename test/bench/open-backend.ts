/** Policies of the benchmarks, on as many threads as what they are measured against. tfjs has one backend a process. */
import type { Policy } from '../../main/policy/policy.ts';
import { tensorflowAddon, withoutTensorflow } from '../fixtures/tensorflow.ts';

export const BACKENDS = ['tensorflow', 'wasm'] as const;
export type BackendName = (typeof BACKENDS)[number];

/** Loads the backend's library; what it gives opens a folder. Errors: Error for a backend that is not installed. */
export async function startBackend(backend: BackendName, threads: 1 | 2): Promise<(folder: string) => Promise<Policy>> {
  if (backend === 'wasm') {
    const { createTfjsPolicy } = await import('../../main/policy/tfjs/policy.ts');
    return (folder) => createTfjsPolicy({ folder, threads });
  }
  if (tensorflowAddon === null) throw new Error(withoutTensorflow);
  // TensorFlow reads it when it starts; it has no call for it that tfjs passes on.
  process.env.TF_NUM_INTRAOP_THREADS = String(threads);
  const { tensorflowDevice } = await import('../../main/policy/tfjs/tensorflow/device.ts');
  const { createPaddedPolicy } = await import('../../main/policy/tfjs/padded/policy.ts');
  const device = await tensorflowDevice(tensorflowAddon);
  return (folder) => createPaddedPolicy(device, folder);
}

/** Errors: as above, and what a folder without a model gives. */
export async function openOn(backend: BackendName, folder: string, threads: 1 | 2): Promise<Policy> {
  return (await startBackend(backend, threads))(folder);
}
