/** The tfjs backends beside wasm, found in the user's folder or on the machine, and policies on them. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { InputError } from '../../shared/input-error.ts';
import { TENSORFLOW_ADDON, TENSORFLOW_FOLDER } from '../../shared/tensorflow-install.ts';
import { homeFolder } from '../data/location.ts';
import type { Policy } from '../policy/policy.ts';
import type { Device } from '../policy/tfjs/padded/device.ts';
import type { PaddedPolicyOptions } from '../policy/tfjs/padded/policy.ts';
import type { WebgpuAdapter } from '../policy/tfjs/webgpu/device.ts';
import { askProgram } from './ask-program.ts';

export type PaddedBackend = 'tensorflow' | 'webgpu';

export const INSTALL_TENSORFLOW = 'medlogictrace backends install tensorflow';

/** Path of the installed addon, or null. */
export function tensorflowAddon(): string | null {
  const path = join(homeFolder(), TENSORFLOW_FOLDER, TENSORFLOW_ADDON);
  return existsSync(path) ? path : null;
}

const Adapter = z.object({ what: z.string(), largestBuffer: z.number(), software: z.boolean() });

/** The adapter of `webgpu`, asked for in a process of its own; null where there is none. Errors: Error when Dawn cannot be loaded. */
export const findWebgpu = (signal?: AbortSignal): Promise<WebgpuAdapter | null> =>
  askProgram('main/policy/tfjs/webgpu-check', [], Adapter.nullable(), signal);

/** Starts a backend. Errors: InputError that names what to install or what to use instead. */
export async function openDevice(backend: PaddedBackend): Promise<Device> {
  const instead = 'or use another backend ("medlogictrace backends" lists them)';
  if (backend === 'tensorflow') {
    const addon = tensorflowAddon();
    if (addon === null) throw new InputError(`backend tensorflow is not installed: run "${INSTALL_TENSORFLOW}", ${instead}`, 'backend');
    const { tensorflowDevice } = await import('../policy/tfjs/tensorflow/device.ts');
    return tensorflowDevice(addon);
  }
  const { findAdapter, webgpuDevice } = await import('../policy/tfjs/webgpu/device.ts');
  const adapter = await findAdapter();
  if (adapter === null) throw new InputError(`backend webgpu finds no GPU: ${NO_ADAPTER}, ${instead}`, 'backend');
  return webgpuDevice();
}

/** What makes a GPU visible, by platform. */
export const NO_ADAPTER =
  process.platform === 'linux'
    ? 'install its Vulkan driver and the loader (libvulkan1)'
    : process.platform === 'win32'
      ? 'install a driver with D3D12'
      : 'this machine shows none through Metal';

/** A policy on a model folder. */
export async function openPaddedPolicy(
  folder: string,
  backend: PaddedBackend,
  options: PaddedPolicyOptions & { signal?: AbortSignal } = {},
): Promise<Policy> {
  const { createPaddedPolicy } = await import('../policy/tfjs/padded/policy.ts');
  return createPaddedPolicy(await openDevice(backend), folder, options);
}
