/** `tensorflow-check ADDON`: starts TensorFlow on an addon, multiplies once, and prints what it is as one line of JSON. */
import * as tf from '@tensorflow/tfjs-core';
import type { TensorflowCheck } from '../../../shared/tensorflow-install.ts';
import { startTensorflow } from './tensorflow/addon.ts';

const [path] = process.argv.slice(2);
if (path === undefined) {
  console.error('usage: tensorflow-check ADDON');
  process.exit(2);
}
const { binding } = startTensorflow(path);
if (!(await tf.setBackend('tensorflow'))) throw new Error('the tensorflow backend did not start');
const product = await tf.matMul(tf.tensor2d([[1, 2]]), tf.tensor2d([[3], [4]])).data();
if (product[0] !== 11) throw new Error(`it says that 1·3 + 2·4 is ${product[0]}`);
const found: TensorflowCheck = { tensorflow: binding.TF_Version, device: binding.isUsingGpuDevice() ? 'gpu' : 'cpu' };
console.log(JSON.stringify(found));
