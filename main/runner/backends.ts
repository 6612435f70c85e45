/** What can compute on this machine, and why or why not. */
import type { BackendStatus } from '../../shared/backend-status.ts';
import { torchStatus } from '../policy/torch/backend-status.ts';

/** Starts the wasm backend for real: that it is installed does not say that it runs. */
async function wasmStatus(): Promise<BackendStatus> {
  const what = 'WebAssembly on the processor, one thread, float32, 4 GiB of memory';
  try {
    const { startBackend } = await import('../policy/tfjs/backend.ts');
    await startBackend();
    return { name: 'wasm', what, available: true, reason: 'it started' };
  } catch (error) {
    return { name: 'wasm', what, available: false, reason: error instanceof Error ? error.message : String(error) };
  }
}

const later: BackendStatus[] = [
  {
    name: 'tensorflow',
    what: 'libtensorflow on the processor or an NVIDIA GPU',
    available: false,
    reason: 'not supported yet: its addon has to be built against TensorFlow, and no command here does that so far',
  },
  {
    name: 'webgpu',
    what: 'the GPU through Metal, Vulkan or D3D12',
    available: false,
    reason: 'not supported yet: the decoder has not been run on it',
  },
];

/** Every backend, those that this program knows how to use first. */
export const listBackends = async (): Promise<BackendStatus[]> => [...(await Promise.all([wasmStatus(), torchStatus()])), ...later];
