/**
 * tfjs's backend `tensorflow` on an addon that lies in the user's folder. tfjs-node-gpu's own entry point looks for the addon inside its
 * package, which is never written to; so its backend and kernels are taken one by one and the addon is handed to them.
 */
import Module, { createRequire, registerHooks } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
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

/** Starts the backend on the addon at `path`; the first path counts. Errors: Error when the addon or its library cannot be loaded. */
export function startTensorflow(path: string): TensorflowBackend {
  if (started) return started;
  restoreRemovedUtilities();
  const { NodeJSKernelBackend } = withThisCore(() => {
    require('@tensorflow/tfjs-node-gpu/dist/register_all_kernels.js');
    return require('@tensorflow/tfjs-node-gpu/dist/nodejs_kernel_backend.js') as {
      NodeJSKernelBackend: new (binding: TensorflowBinding, name: string) => TensorflowBackend;
    };
  });
  // The library tells of every processor feature otherwise; warnings and errors stay.
  process.env.TF_CPP_MIN_LOG_LEVEL ??= '1';
  const binding = require(path) as TensorflowBinding;
  const backend = new NodeJSKernelBackend(binding, '@tensorflow/tfjs-node-gpu');
  tf.registerBackend('tensorflow', () => backend, 3);
  started = backend;
  return backend;
}

/** What tfjs-node-gpu asks for by name. Of tfjs it uses the core alone. */
const CORE_NAMES = ['@tensorflow/tfjs', '@tensorflow/tfjs-core'];

/** While `load` runs, those names lead to the core that runs here, whether it is a package or was taken into a bundle: kernels of a second one would be found by nobody. */
function withThisCore<T>(load: () => T): T {
  // No file, but a place in the cache of modules.
  const place = join(import.meta.dirname, 'tfjs-core');
  const module = new Module(place);
  module.filename = place;
  module.exports = tf;
  module.loaded = true;
  require.cache[place] = module;
  const hooks = registerHooks({
    resolve: (name, context, next) =>
      CORE_NAMES.includes(name) ? { url: pathToFileURL(place).href, format: 'commonjs', shortCircuit: true } : next(name, context),
  });
  try {
    return load();
  } finally {
    hooks.deregister();
    delete require.cache[place];
  }
}

/** Its kernels call two functions of `node:util` of which Node 23 took one away and warns of the other. */
function restoreRemovedUtilities(): void {
  const plain = { isNullOrUndefined: (value: unknown) => value === null || value === undefined, isArray: Array.isArray };
  for (const [name, value] of Object.entries(plain)) Object.defineProperty(util, name, { value, configurable: true });
}
