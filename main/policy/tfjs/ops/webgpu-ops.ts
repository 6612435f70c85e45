/** `Ops` on WebGPU: programs of our own where tfjs has none, or needs many. */
import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import type { WebgpuBackend } from '../webgpu/backend.ts';
import type { Ops } from './ops.ts';
import { plainOps } from './plain-ops.ts';

/** A program as tfjs's backend runs it. */
interface Program {
  variableNames: string[];
  outputShape: number[];
  dispatchLayout: { x: number[] };
  dispatch: [number, number, number];
  workgroupSize: [number, number, number];
  /** Names the code: programs of one key are compiled once. */
  shaderKey: string;
  uniforms?: string;
  size?: boolean;
  getUserCode(): string;
}

const GROUP = 64;
/** A row of a matrix is reduced by so many threads together. */
const ROW_GROUP = 128;

export function webgpuOps(backend: WebgpuBackend): Ops {
  const run = (program: Program, inputs: Tensor[], uniforms?: { type: string; data: number[] }[], output?: Tensor): Tensor => {
    const info = backend.runWebGPUProgram(program, inputs, 'float32', uniforms, output);
    return output ?? tf.engine().makeTensorFromTensorInfo(info);
  };

  return {
    ...plainOps,
    rmsNorm(x, gain, epsilon) {
      const width = gain.size;
      const rows = x.size / width;
      return tf.tidy(() =>
        tf.reshape(
          run(
            rowProgram('rmsNorm', rows, width, ['x', 'gain'], 'epsilon : f32,', RMS_NORM),
            [tf.reshape(x, [rows, width]), gain],
            [{ type: 'float32', data: [epsilon] }],
          ),
          x.shape,
        ),
      );
    },
    rmsNormGradient(x, gain, dy, epsilon) {
      const width = gain.size;
      const rows = x.size / width;
      return tf.tidy(() => {
        const flat = [tf.reshape(x, [rows, width]), gain, tf.reshape(dy, [rows, width])];
        const uniforms = [{ type: 'float32', data: [epsilon] }];
        const dx = run(
          rowProgram('rmsNormGradient', rows, width, ['x', 'gain', 'dy'], 'epsilon : f32,', RMS_NORM_GRADIENT),
          flat,
          uniforms,
        );
        const [flatX, , flatDy] = flat as [Tensor, Tensor, Tensor];
        const along = run(
          rowProgram('rmsNormAlong', rows, width, ['x', 'dy'], 'epsilon : f32,', RMS_NORM_ALONG),
          [flatX, flatDy],
          uniforms,
        );
        return { dx: tf.reshape(dx, x.shape), dgain: tf.sum(along, 0) };
      });
    },
    swiGlu: (gate, up) => run(eachProgram('swiGlu', gate.shape, ['gate', 'up'], SWIGLU), [gate, up]),
    swiGluGradient(gate, up, dy) {
      // An input that a program does not read has no place in its layout, and must not be given.
      return {
        dgate: run(eachProgram('swiGluGate', gate.shape, ['gate', 'up', 'dy'], SWIGLU_GATE), [gate, up, dy]),
        dup: run(eachProgram('swiGluUp', gate.shape, ['gate', 'dy'], SWIGLU_UP), [gate, dy]),
      };
    },
    replaceRows(table, indices, rows) {
      const [count, width] = rows.shape as [number, number];
      const program: Program = {
        variableNames: ['rows', 'indices'],
        outputShape: table.shape,
        dispatchLayout: { x: [0] },
        dispatch: spread(Math.ceil((count * width) / GROUP)),
        workgroupSize: [GROUP, 1, 1],
        shaderKey: 'medlogictrace_replaceRows',
        uniforms: 'count : i32, width : i32,',
        getUserCode: () => `fn main(index : i32) {
          if (index < uniforms.count) {
            let row = index / uniforms.width;
            result[indices[row] * uniforms.width + index - row * uniforms.width] = rows[index];
          }
        }`,
      };
      return run(
        program,
        [rows, indices],
        [
          { type: 'int32', data: [count * width] },
          { type: 'int32', data: [width] },
        ],
        table,
      );
    },
    adamW(weights, gradient, first, second, { scale, keep, beta1, beta2, stepSize, root, epsilon }) {
      // In place: three programs, the weights last, since they are made of both moments.
      const uniforms = [scale, keep, beta1, beta2, stepSize, root, epsilon].map((value) => ({ type: 'float32', data: [value] }));
      const names = 'scale : f32, keep : f32, beta1 : f32, beta2 : f32, stepSize : f32, root : f32, epsilon : f32,';
      const update = (key: string, inputs: [string, Tensor][], code: string): Tensor => {
        const program = eachProgram(
          `adamW_${key}`,
          weights.shape,
          inputs.map(([name]) => name),
          code,
        );
        program.uniforms = names;
        return run(
          program,
          inputs.map(([, tensor]) => tensor),
          uniforms,
        );
      };
      const m = update(
        'first',
        [
          ['m', first],
          ['g', gradient],
        ],
        'let y = m[index] * uniforms.beta1 + g[index] * uniforms.scale * (1.0 - uniforms.beta1);',
      );
      const v = update(
        'second',
        [
          ['v', second],
          ['g', gradient],
        ],
        'let scaled = g[index] * uniforms.scale; let y = v[index] * uniforms.beta2 + scaled * scaled * (1.0 - uniforms.beta2);',
      );
      const w = update(
        'weights',
        [
          ['w', weights],
          ['m', m],
          ['v', v],
        ],
        'let y = w[index] * uniforms.keep - uniforms.stepSize * m[index] / (sqrt(v[index]) / uniforms.root + uniforms.epsilon);',
      );
      return [w, m, v];
    },
  };
}

/** Groups over two dimensions, of which each has a limit of 65,535. */
function spread(groups: number): [number, number, number] {
  if (groups <= 65535) return [Math.max(1, groups), 1, 1];
  const x = Math.ceil(Math.sqrt(groups));
  return [x, Math.ceil(groups / x), 1];
}

/** One thread a number of the output. `code` sees `index` and leaves the number in `y`. */
function eachProgram(key: string, shape: number[], variableNames: string[], code: string): Program {
  const size = shape.reduce((product, n) => product * n, 1);
  return {
    variableNames,
    outputShape: shape,
    dispatchLayout: { x: shape.map((_, i) => i) },
    dispatch: spread(Math.ceil(size / GROUP)),
    workgroupSize: [GROUP, 1, 1],
    shaderKey: `medlogictrace_${key}`,
    size: true,
    getUserCode: () => `fn main(index : i32) {
      if (index < uniforms.size) {
        ${code}
        result[index] = y;
      }
    }`,
  };
}

const SWIGLU = 'let g = gate[index]; let y = g / (1.0 + exp(-g)) * up[index];';
const SWIGLU_UP = 'let g = gate[index]; let y = g / (1.0 + exp(-g)) * dy[index];';
const SWIGLU_GATE = 'let g = gate[index]; let s = 1.0 / (1.0 + exp(-g)); let y = dy[index] * up[index] * (s + g * s * (1.0 - s));';

/** One workgroup a row. `code` sees `row`, `width`, its first number `begin`, its thread `tid`, and `total(x)`, the sum of x over all threads. */
function rowProgram(key: string, rows: number, width: number, variableNames: string[], uniforms: string, code: string): Program {
  return {
    variableNames,
    outputShape: [rows, width],
    dispatchLayout: { x: [0, 1] },
    dispatch: spread(rows),
    workgroupSize: [ROW_GROUP, 1, 1],
    shaderKey: `medlogictrace_${key}`,
    uniforms,
    getUserCode: () => `
      var<workgroup> partial : array<f32, ${ROW_GROUP}>;
      fn total(value : f32, tid : i32) -> f32 {
        partial[tid] = value;
        workgroupBarrier();
        for (var span = ${ROW_GROUP / 2}; span > 0; span = span >> 1) {
          if (tid < span) { partial[tid] = partial[tid] + partial[tid + span]; }
          workgroupBarrier();
        }
        let sum = partial[0];
        workgroupBarrier();
        return sum;
      }
      fn main(index : i32) {
        let width = uniforms.outShape[1];
        let row = i32(workgroupId.y * numWorkgroups.x + workgroupId.x);
        let tid = i32(localId.x);
        let inside = row < uniforms.outShape[0];
        let begin = select(0, row, inside) * width;
        ${code}
      }`,
  };
}

/** r = 1 / √(mean x² + ε) of the row. */
const INVERSE_ROOT = `var square = 0.0;
  for (var i = tid; i < width; i = i + ${ROW_GROUP}) { square = square + x[begin + i] * x[begin + i]; }
  let r = inverseSqrt(total(square, tid) / f32(width) + uniforms.epsilon);`;
const RMS_NORM = `${INVERSE_ROOT}
  if (inside) { for (var i = tid; i < width; i = i + ${ROW_GROUP}) { result[begin + i] = x[begin + i] * r * gain[i]; } }`;
const RMS_NORM_GRADIENT = `${INVERSE_ROOT}
  var product = 0.0;
  for (var i = tid; i < width; i = i + ${ROW_GROUP}) { product = product + dy[begin + i] * gain[i] * x[begin + i] * r; }
  let along = total(product, tid) / f32(width);
  if (inside) {
    for (var i = tid; i < width; i = i + ${ROW_GROUP}) { result[begin + i] = r * (dy[begin + i] * gain[i] - x[begin + i] * r * along); }
  }`;
const RMS_NORM_ALONG = `${INVERSE_ROOT}
  if (inside) { for (var i = tid; i < width; i = i + ${ROW_GROUP}) { result[begin + i] = dy[begin + i] * x[begin + i] * r; } }`;
