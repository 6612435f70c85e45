/**
 * The backend `webgpu`: tfjs's kernels on a device of Dawn, in this process. What goes wrong on the device is told by events, long after the
 * call that caused it; it is kept here and told to whoever asks.
 */
import * as tf from '@tensorflow/tfjs-core';
import { webgpuOps } from '../ops/webgpu-ops.ts';
import type { Device } from '../padded/device.ts';
import { DeviceFailure } from '../padded/device-failure.ts';
import type { Buffers, GpuDevice, WebgpuBackend } from './backend.ts';

/** The limits that matter here; the device gets as much as the adapter has. */
const LIMITS = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupSizeX',
  'maxComputeWorkgroupsPerDimension',
  'maxStorageBuffersPerShaderStage',
] as const;

/** Free buffers that the backend may keep for later, in bytes. */
const SPARE = 2 ** 29;

/** Of Dawn's adapter and device, what is used here. */
interface Adapter {
  info: { vendor: string; architecture: string; device: string; description: string; isFallbackAdapter?: boolean };
  limits: Record<(typeof LIMITS)[number], number>;
  requestDevice(options: { requiredLimits: Record<string, number> }): Promise<GpuDevice>;
}
export interface WebgpuAdapter {
  /** Vendor, architecture and driver, in words. */
  what: string;
  /** Largest single buffer, in bytes. */
  largestBuffer: number;
  /** Runs on the processor. */
  software: boolean;
}

let asked: Promise<{ adapter: Adapter; found: WebgpuAdapter } | null> | undefined;

async function requestAdapter(): Promise<{ adapter: Adapter; found: WebgpuAdapter } | null> {
  const { create, globals } = await import('webgpu');
  Object.assign(globalThis, globals);
  const gpu = create([]);
  // tfjs looks here whether there is such a thing at all. It is loaded before: it would start a device of its own.
  await import('@tensorflow/tfjs-backend-webgpu');
  Object.defineProperty(navigator, 'gpu', { value: gpu, configurable: true });
  const adapter = (await gpu.requestAdapter({ powerPreference: 'high-performance' })) as unknown as Adapter | null;
  if (adapter === null) return null;
  const { vendor, architecture, description, isFallbackAdapter } = adapter.info;
  const what = [vendor, architecture, description].filter((part) => part !== '').join(', ');
  return { adapter, found: { what, largestBuffer: adapter.limits.maxBufferSize, software: isFallbackAdapter === true } };
}

/** The adapter that would be computed on; null where there is none. Errors: Error when Dawn itself cannot be loaded. */
export async function findAdapter(): Promise<WebgpuAdapter | null> {
  asked ??= requestAdapter();
  return (await asked)?.found ?? null;
}

let started: Promise<Device> | undefined;

/** Starts the backend; the first call counts. Errors: Error where there is no adapter. */
export function webgpuDevice(): Promise<Device> {
  started ??= start();
  return started;
}

async function start(): Promise<Device> {
  await findAdapter();
  const request = await asked;
  if (!request) throw new Error('there is no GPU that Vulkan, Metal or D3D12 reaches');
  const { adapter, found } = request;
  const requiredLimits = Object.fromEntries(LIMITS.map((name) => [name, adapter.limits[name]]));
  const gpu = await adapter.requestDevice({ requiredLimits });
  let failure: DeviceFailure | null = null;
  void gpu.lost.then(({ reason, message }) => {
    failure = new DeviceFailure('lost', `the GPU was lost (${reason}${message ? `: ${firstLine(message)}` : ''})`);
  });
  gpu.addEventListener('uncapturederror', (event) => {
    event.preventDefault();
    const { message } = event.error;
    // The first one is the cause; what follows is its consequence.
    failure ??= /out.of.memory|exceeds the max buffer size/i.test(message)
      ? new DeviceFailure('memory', `the GPU is out of memory (${firstLine(message)})`)
      : new DeviceFailure('failed', `the GPU refused a computation (${firstLine(message)})`);
  });
  const { WebGPUBackend } = await import('@tensorflow/tfjs-backend-webgpu');
  const Constructor = WebGPUBackend as unknown as new (device: GpuDevice, info: object) => WebgpuBackend;
  const backend = new Constructor(gpu, adapter.info);
  tf.registerBackend('webgpu', () => backend, 3);
  if (!(await tf.setBackend('webgpu'))) throw new Error('the tfjs webgpu backend did not start');
  const check = (): void => {
    if (failure !== null) throw failure;
  };
  return {
    name: 'tfjs-webgpu',
    what: `${found.what} through WebGPU`,
    ops: webgpuOps(backend),
    // WebGPU does not tell what a device has; a share of this bounds what is asked for at once.
    memoryLimit: 4 * found.largestBuffer,
    lengthStep: 32,
    check,
    async settle() {
      if (backend.commandEncoder !== null) {
        backend.endComputePassEncoder();
        backend.submitQueue();
      }
      await gpu.queue.onSubmittedWorkDone().catch(() => undefined);
      // Events come with the next turn.
      await new Promise((turn) => setImmediate(turn));
      check();
      trim(backend.bufferManager);
    },
    explain: (error) => failure ?? error,
  };
}

const firstLine = (text: string): string => (text.split('\n')[0] ?? '').trim();

/** The backend keeps every buffer that was ever free, one list a size: with lengths that vary they would fill the device. */
function trim(buffers: Buffers): void {
  if (buffers.numBytesAllocated - buffers.numBytesUsed <= SPARE) return;
  for (const list of buffers.freeBuffers.values()) {
    for (const buffer of list) {
      buffers.numBytesAllocated -= buffer.size;
      buffers.numFreeBuffers--;
      buffer.destroy();
    }
    list.length = 0;
  }
}
