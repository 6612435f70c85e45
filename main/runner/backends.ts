/** What can compute on this machine, and why or why not. */
import type { BackendStatus } from '../../shared/backend-status.ts';
import { TensorflowCheck } from '../../shared/tensorflow-install.ts';
import { machineMemory } from '../policy/machine-memory.ts';
import { threadsToUse } from '../policy/tfjs/threads.ts';
import { torchStatus } from '../policy/torch/backend-status.ts';
import { askProgram } from './ask-program.ts';
import { findWebgpu, INSTALL_TENSORFLOW, NO_ADAPTER, tensorflowAddon } from './tfjs-devices.ts';

/** Starts the wasm backend for real: that it is installed does not say that it runs. */
async function wasmStatus(): Promise<BackendStatus> {
  const what = 'WebAssembly with SIMD on the processor, two threads where there are two cores, float32';
  try {
    const { MEMORY_LIMIT, startBackend } = await import('../policy/tfjs/backend.ts');
    await startBackend();
    const { version_core } = await import('@tensorflow/tfjs-core');
    const device = `processor, ${threadsToUse()} thread(s)`;
    return { name: 'wasm', what, available: true, reason: 'it started', version: `tfjs ${version_core}`, device, memory: MEMORY_LIMIT };
  } catch (error) {
    return { name: 'wasm', what, available: false, reason: error instanceof Error ? error.message : String(error) };
  }
}

/** Multiplies once, in a process of its own: that its files are there does not say that it runs, and a library that was loaded keeps a GPU's memory. */
async function tensorflowStatus(): Promise<BackendStatus> {
  const what = 'TensorFlow on the processor or an NVIDIA GPU, float32';
  const addon = tensorflowAddon();
  if (addon === null) {
    const reason = `not installed: "${INSTALL_TENSORFLOW}" fetches it (274 MB) and builds its addon; --cuda for an NVIDIA GPU`;
    return { name: 'tensorflow', what, available: false, reason };
  }
  try {
    const { tensorflow, device } = await askProgram('main/policy/tfjs/tensorflow-check', [addon], TensorflowCheck);
    const gpu = device === 'gpu';
    return {
      name: 'tensorflow',
      what,
      available: true,
      reason: `it started, from ${addon}`,
      version: tensorflow,
      device: gpu ? 'GPU' : 'processor',
      memory: gpu ? null : machineMemory(),
    };
  } catch (error) {
    const why = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
    return {
      name: 'tensorflow',
      what,
      available: false,
      reason: `it does not start (${why}): install it again with "${INSTALL_TENSORFLOW}"`,
    };
  }
}

async function webgpuStatus(): Promise<BackendStatus> {
  const what = 'the GPU through Metal, Vulkan or D3D12, float32';
  try {
    const adapter = await findWebgpu();
    if (adapter === null) return { name: 'webgpu', what, available: false, reason: `no GPU is found: ${NO_ADAPTER}` };
    return {
      name: 'webgpu',
      what,
      available: true,
      reason: adapter.software ? 'an adapter of software alone: right, and slow' : 'an adapter answers',
      device: adapter.what,
      // WebGPU tells the largest single buffer, not what the device has.
      memory: null,
    };
  } catch (error) {
    return {
      name: 'webgpu',
      what,
      available: false,
      reason: error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error),
    };
  }
}

/** Every backend. */
export const listBackends = async (): Promise<BackendStatus[]> =>
  Promise.all([wasmStatus(), tensorflowStatus(), webgpuStatus(), torchStatus()]);
