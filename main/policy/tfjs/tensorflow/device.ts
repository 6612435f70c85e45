/** The started `tensorflow` backend as a device of the padded decoder. */

import * as tf from '@tensorflow/tfjs-core';
import { machineMemory } from '../../machine-memory.ts';
import { tensorflowOps } from '../ops/tensorflow-ops.ts';
import type { Device } from '../padded/device.ts';
import { DeviceFailure } from '../padded/device-failure.ts';
import { startTensorflow } from './addon.ts';

/** Starts it on the addon at `path`. Errors: Error when it does not start. */
export async function tensorflowDevice(path: string): Promise<Device> {
  const backend = startTensorflow(path);
  if (!(await tf.setBackend('tensorflow'))) throw new Error('the tfjs tensorflow backend did not start');
  const gpu = backend.binding.isUsingGpuDevice();
  return {
    name: 'tfjs-tensorflow',
    what: `TensorFlow ${backend.binding.TF_Version} on the ${gpu ? 'GPU' : 'processor'}`,
    ops: tensorflowOps(backend),
    // What TensorFlow has of a GPU it does not tell through this addon.
    memoryLimit: gpu ? null : machineMemory(),
    lengthStep: 1,
    check: () => undefined,
    settle: async () => undefined,
    explain(error) {
      const said = error instanceof Error ? error.message : String(error);
      if (!/RESOURCE_EXHAUSTED|OOM when allocating|Invalid TF_Status: 8\b/.test(said)) return error;
      return new DeviceFailure('memory', 'TensorFlow is out of memory', { cause: error });
    },
  };
}
