/**
 * tfjs's backend `tensorflow` on an addon that lies in the user's folder. tfjs-node-gpu's own entry point looks for the addon inside its
 * package, which is never written to; so its backend and kernels are taken one by one and the addon is handed to them.
 */
import Module, { createRequire } from 'node:module';
import util from 'node:util';
import * as tf from '@tensorflow/tfjs-core';

/** An attribute of a TensorFlow operation; `type` is one of the addon's numbers. */
export interface OpAttribute {
  name: string;
  type: number;
  value: boolean | number | string | number[];
}

/** Of the addon, what is used here. */
export interface TensorflowBinding {
  TF_Version: string;
  TF_FLOAT: number;
  TF_INT32: number;
  TF_ATTR_TYPE: number;
  TF_ATTR_BOOL: number;
  TF_ATTR_INT: number;
  TF_ATTR_STRING: number;
  isUsingGpuDevice(): boolean;
}

/** The tfjs backend; any TensorFlow operation can be executed through it. */
export interface TensorflowBackend extends tf.KernelBackend {
  binding: TensorflowBinding;
  executeSingleOutput(name: string, attributes: OpAttribute[], inputs: tf.TensorInfo[]): tf.Tensor;
  executeMultipleOutputs(name: string, attributes: OpAttribute[], inputs: tf.TensorInfo[], outputs: number): tf.Tensor[];
}

const require = createRequire(import.meta.url);
let started: TensorflowBackend | undefined;

/** Loads the addon at `path` and says what it is, without making it a backend. Errors: Error when it or its library cannot be loaded. */
export function loadTensorflow(path: string): TensorflowBinding {
  // The library tells of every processor feature otherwise; warnings and errors stay.
  process.env.TF_CPP_MIN_LOG_LEVEL ??= '1';
  return require(path) as TensorflowBinding;
}

/** Starts the backend on the addon at `path`; the first path counts. Errors: Error when the addon or its library cannot be loaded. */
export function startTensorflow(path: string): TensorflowBackend {
  if (started) return started;
  shareCore();
  restoreRemovedUtilities();
  const { NodeJSKernelBackend } = require('@tensorflow/tfjs-node-gpu/dist/nodejs_kernel_backend.js') as {
    NodeJSKernelBackend: new (binding: TensorflowBinding, name: string) => TensorflowBackend;
  };
  require('@tensorflow/tfjs-node-gpu/dist/register_all_kernels.js');
  const binding = loadTensorflow(path);
  const backend = new NodeJSKernelBackend(binding, '@tensorflow/tfjs-node-gpu');
  tf.registerBackend('tensorflow', () => backend, 3);
  started = backend;
  return backend;
}

/** tfjs-node-gpu asks for all of tfjs, of which it uses the core alone: it gets the core that runs here, not a second one. */
function shareCore(): void {
  const asked = createRequire(require.resolve('@tensorflow/tfjs-node-gpu/package.json')).resolve('@tensorflow/tfjs');
  if (require.cache[asked]) return;
  const module = new Module(asked);
  module.filename = asked;
  module.exports = tf;
  module.loaded = true;
  require.cache[asked] = module;
}

/** Its kernels call two functions of `node:util` of which Node 23 took one away and warns of the other. */
function restoreRemovedUtilities(): void {
  const plain = { isNullOrUndefined: (value: unknown) => value === null || value === undefined, isArray: Array.isArray };
  for (const [name, value] of Object.entries(plain)) Object.defineProperty(util, name, { value, configurable: true });
}
