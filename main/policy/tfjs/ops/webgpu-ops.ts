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
/** A row of a matrix is reduced by so many threads together; the first where it is longer than LONG_ROW. */
const [LONG_GROUP, ROW_GROUP] = [256, 128];
const LONG_ROW = 4096;
/** Numbers that one group sums. */
const SUMMED = 1 << 14;
/** tfjs: from this inner length on, where there are few groups, products are summed by atomic additions, in no order. */
const SPLIT_LENGTH = 2000;
/** Of tfjs's `MatMulProgramType`: tiles of 16 × 16, and of 32 × 32. */
const [SMALL_TILES, LARGE_TILES] = [2, 3];

interface Uniform {
  type: 'int32' | 'float32';
  data: number[];
}
const int32 = (...values: number[]): Uniform[] => values.map((value) => ({ type: 'int32', data: [value] }));
const float32 = (...values: number[]): Uniform[] => values.map((value) => ({ type: 'float32', data: [value] }));
/** Their declaration. */
const floats = (numbers: Record<string, number>): string =>
  Object.keys(numbers)
    .map((name) => `${name} : f32,`)
    .join(' ');

export function webgpuOps(backend: WebgpuBackend): Ops {
  const run = (program: Program, inputs: Tensor[], uniforms?: Uniform[], output?: Tensor): Tensor => {
    const info = backend.runWebGPUProgram(program, inputs, 'float32', uniforms, output);
    return output ?? tf.engine().makeTensorFromTensorInfo(info);
  };

  /** `rowProgram` over x as rows of `width`; the result has the shape of x unless `shape` says otherwise. */
  const overRows = (
    key: string,
    width: number,
    inputs: Record<string, Tensor>,
    code: string,
    { numbers = {}, shape }: { numbers?: Record<string, number>; shape?: number[] } = {},
  ): Tensor => {
    const tensors = Object.values(inputs);
    const [first] = tensors as [Tensor];
    const rows = first.size / width;
    const program = rowProgram(key, shape ?? [rows, width], rows, width, Object.keys(inputs), floats(numbers), code);
    const flat = tensors.map((tensor) => (tensor.size === rows * width ? tf.reshape(tensor, [rows, width]) : tensor));
    const result = run(program, flat, [...int32(rows, width), ...float32(...Object.values(numbers))]);
    return shape ? result : tf.reshape(result, first.shape);
  };

  const rotated = (key: 'rotate' | 'rotateGradient', x: Tensor, cos: Tensor, sin: Tensor): Tensor => {
    const [width, length] = [x.shape.at(-1) as number, cos.shape.at(-2) as number];
    // Rows of x that one entry of cos's leading axes stands for: all, where there are no such axes.
    const stride = ((x.size / width) * length) / (cos.size / width);
    const code = key === 'rotate' ? ROTATE : ROTATE_GRADIENT;
    const program = eachProgram(key, x.shape, ['x', 'cosines', 'sines'], code, 'width : i32, length : i32, stride : i32,');
    return run(program, [x, cos, sin], int32(width, length, stride));
  };

  return {
    ...plainOps,
    matMul(a, b, transposeA = false, transposeB = false) {
      const [rows, inner] = (transposeA ? [a.shape.at(-1), a.shape.at(-2)] : [a.shape.at(-2), a.shape.at(-1)]) as [number, number];
      const columns = b.shape.at(transposeB ? -2 : -1) as number;
      if (a.size > rows * inner || inner < SPLIT_LENGTH) return tf.matMul(a, b, transposeA, transposeB);
      const groups = Math.ceil(rows / 32) * Math.ceil(columns / 32);
      const few = groups <= 2 * backend.thresholdToIncreaseWorkgroups;
      tf.env().set('WEBGPU_MATMUL_PROGRAM_TYPE', few ? SMALL_TILES : LARGE_TILES);
      try {
        return tf.matMul(a, b, transposeA, transposeB);
      } finally {
        tf.env().set('WEBGPU_MATMUL_PROGRAM_TYPE', -1);
      }
    },
    scale(x, factor) {
      // A scalar of its own would be a buffer to be made and filled, which takes longer than the product.
      return run(eachProgram('scale', x.shape, ['x'], 'let y = x[index] * uniforms.factor;', floats({ factor })), [x], float32(factor));
    },
    softmaxGradient: (p, dp) => tf.tidy(() => overRows('softmaxGradient', p.shape.at(-1) as number, { p, dp }, SOFTMAX_GRADIENT)),
    rmsNorm: (x, gain, epsilon) => tf.tidy(() => overRows('rmsNorm', gain.size, { x, gain }, RMS_NORM, { numbers: { epsilon } })),
    rmsNormGradient(x, gain, dy, epsilon) {
      return tf.tidy(() => {
        const width = gain.size;
        const numbers = { epsilon };
        const dx = overRows('rmsNormGradient', width, { x, gain, dy }, RMS_NORM_GRADIENT, { numbers });
        const along = overRows('rmsNormAlong', width, { x, dy }, RMS_NORM_ALONG, { numbers });
        return { dx, dgain: tf.sum(tf.reshape(along, [x.size / width, width]), 0) };
      });
    },
    rotate: (x, cos, sin) => rotated('rotate', x, cos, sin),
    rotateGradient: (dy, cos, sin) => rotated('rotateGradient', dy, cos, sin),
    tokenScores(logits, targets) {
      return tf.tidy(() => {
        const [rows, width] = logits.shape as [number, number];
        const found = overRows('tokenScores', width, { logits, targets }, TOKEN_SCORES, { shape: [3, rows] });
        const part = (i: number): Tensor => tf.reshape(tf.slice(found, [i, 0], [1, rows]), [rows]);
        // Exact: no vocabulary has 2^24 words.
        return { logprob: part(0), entropy: part(1), best: tf.cast(part(2), 'int32') };
      });
    },
    tokenScoresGradient(logits, targets, coefficient) {
      return tf.tidy(() => {
        const width = logits.shape[1] as number;
        return overRows('tokenScoresGradient', width, { logits, targets, coefficient }, TOKEN_SCORES_GRADIENT);
      });
    },
    sumOfSquares(x) {
      return tf.tidy(() => {
        const parts = Math.ceil(x.size / SUMMED);
        const program = rowProgram('sumOfSquares', [parts], parts, SUMMED, ['x'], 'count : i32,', SUM_OF_SQUARES);
        return tf.sum(run(program, [tf.reshape(x, [x.size])], int32(parts, SUMMED, x.size)));
      });
    },
    scatterAddRows(count, indices, rows) {
      // Not by atomic additions: their order, and with it the rounding, would be another in each run.
      return tf.tidy(() => {
        const width = rows.shape[1] as number;
        const { plan, places } = addingPlan(indices);
        const code = `let place = index / uniforms.width;
          if (place < uniforms.places) {
            let column = index - place * uniforms.width;
            var sum = 0.0;
            for (var i = plan[2 * place + 1]; i < plan[2 * place + 3]; i = i + 1) { sum = sum + rows[plan[i] * uniforms.width + column]; }
            result[plan[2 * place] * uniforms.width + column] = sum;
          }`;
        const program = tableProgram(
          'scatterAddRows',
          [count, width],
          places * width,
          ['rows', 'plan'],
          'places : i32, width : i32,',
          code,
        );
        return run(program, [rows, tf.tensor1d(plan, 'int32')], int32(places, width), tf.fill([count, width], 0));
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
      const code = `if (index < uniforms.count) {
          let row = index / uniforms.width;
          result[indices[row] * uniforms.width + index - row * uniforms.width] = rows[index];
        }`;
      const program = tableProgram('replaceRows', table.shape, count * width, ['rows', 'indices'], 'count : i32, width : i32,', code);
      return run(program, [rows, indices], int32(count * width, width), table);
    },
    adamW(weights, gradient, first, second, { scale, keep, beta1, beta2, stepSize, root, epsilon }) {
      const update = (
        key: string,
        inputs: Record<string, Tensor>,
        numbers: Record<string, number>,
        code: string,
        into?: Tensor,
      ): Tensor => {
        const program = eachProgram(`adamW_${key}`, weights.shape, Object.keys(inputs), code, floats(numbers));
        return run(program, Object.values(inputs), float32(...Object.values(numbers)), into);
      };
      // The moments in place. Not the weights: a frozen reference may be these very tensors.
      update('first', { g: gradient }, { scale, beta: beta1 }, ADAMW_FIRST, first);
      update('second', { g: gradient }, { scale, beta: beta2 }, ADAMW_SECOND, second);
      const numbers = { keep, stepSize, root, epsilon };
      return [update('weights', { w: weights, m: first, v: second }, numbers, ADAMW_WEIGHTS), first, second];
    },
  };
}

/**
 * Which rows are added up where: for each place that any goes to the place itself and where its rows begin in `plan`, then (as a last such
 * pair) where all end, then the rows, place by place, each place's in their order.
 */
function addingPlan(indices: Int32Array): { plan: Int32Array; places: number } {
  const order = Int32Array.from(indices, (_, i) => i).sort((a, b) => (indices[a] as number) - (indices[b] as number) || a - b);
  const starts = [...order.keys()].filter((i) => i === 0 || indices[order[i] as number] !== indices[order[i - 1] as number]);
  const offset = 2 * (starts.length + 1);
  const plan = new Int32Array(offset + order.length);
  starts.forEach((start, i) => {
    plan.set([indices[order[start] as number] as number, offset + start], 2 * i);
  });
  plan[offset - 1] = offset + order.length;
  plan.set(order, offset);
  return { plan, places: starts.length };
}

/** Groups over two dimensions, of which each has a limit of 65,535. */
function spread(groups: number): [number, number, number] {
  if (groups <= 65535) return [Math.max(1, groups), 1, 1];
  const x = Math.ceil(Math.sqrt(groups));
  return [x, Math.ceil(groups / x), 1];
}

/** One thread a number of the output. `code` sees `index` and leaves the number in `y`. */
function eachProgram(key: string, shape: number[], variableNames: string[], code: string, uniforms = ''): Program {
  const size = shape.reduce((product, n) => product * n, 1);
  return {
    variableNames,
    outputShape: shape,
    dispatchLayout: { x: shape.map((_, i) => i) },
    dispatch: spread(Math.ceil(size / GROUP)),
    workgroupSize: [GROUP, 1, 1],
    shaderKey: `medlogictrace_${key}`,
    uniforms,
    size: true,
    getUserCode: () => `fn main(index : i32) {
      if (index < uniforms.size) {
        ${code}
        result[index] = y;
      }
    }`,
  };
}

/** So many threads that each write where their `index` says, into a table that is there. */
function tableProgram(
  key: string,
  outputShape: number[],
  threads: number,
  variableNames: string[],
  uniforms: string,
  code: string,
): Program {
  return {
    variableNames,
    outputShape,
    dispatchLayout: { x: [0] },
    dispatch: spread(Math.ceil(threads / GROUP)),
    workgroupSize: [GROUP, 1, 1],
    shaderKey: `medlogictrace_${key}`,
    uniforms,
    getUserCode: () => `fn main(index : i32) { ${code} }`,
  };
}

const SWIGLU = 'let g = gate[index]; let y = g / (1.0 + exp(-g)) * up[index];';
const SWIGLU_UP = 'let g = gate[index]; let y = g / (1.0 + exp(-g)) * dy[index];';
const SWIGLU_GATE = 'let g = gate[index]; let s = 1.0 / (1.0 + exp(-g)); let y = dy[index] * up[index] * (s + g * s * (1.0 - s));';

/**
 * One workgroup a row. `code` sees `row`, `rows`, `width`, `begin` (the row's first number), `tid` of `GROUP` threads, `inside` (there may be
 * more groups than rows), and `total(x, tid)` and `most(x, tid)`: sum and maximum over all threads.
 */
function rowProgram(
  key: string,
  outputShape: number[],
  rows: number,
  width: number,
  variableNames: string[],
  uniforms: string,
  code: string,
): Program {
  const group = width > LONG_ROW ? LONG_GROUP : ROW_GROUP;
  const reduction = (name: string, both: string): string => `
      fn ${name}(value : f32, tid : i32) -> f32 {
        partial[tid] = value;
        workgroupBarrier();
        for (var span = ${group / 2}; span > 0; span = span >> 1) {
          if (tid < span) { let a = partial[tid]; let b = partial[tid + span]; partial[tid] = ${both}; }
          workgroupBarrier();
        }
        let reduced = partial[0];
        workgroupBarrier();
        return reduced;
      }`;
  return {
    variableNames,
    outputShape,
    dispatchLayout: { x: outputShape.map((_, i) => i) },
    dispatch: spread(rows),
    workgroupSize: [group, 1, 1],
    shaderKey: `medlogictrace_${key}`,
    uniforms: `rows : i32, width : i32, ${uniforms}`,
    getUserCode: () => `
      const GROUP = ${group};
      var<workgroup> partial : array<f32, ${group}>;
      ${reduction('total', 'a + b')}
      ${reduction('most', 'max(a, b)')}
      fn main(index : i32) {
        let rows = uniforms.rows;
        let width = uniforms.width;
        let row = i32(workgroupId.y * numWorkgroups.x + workgroupId.x);
        let tid = i32(localId.x);
        let inside = row < rows;
        let begin = select(0, row, inside) * width;
        ${code}
      }`,
  };
}

/** Along the row. */
const each = (code: string): string => `for (var i = tid; i < width; i = i + GROUP) { ${code} }`;

/** r = 1 / √(mean x² + ε) of the row. */
const INVERSE_ROOT = `var square = 0.0;
  ${each('square = square + x[begin + i] * x[begin + i];')}
  let r = inverseSqrt(total(square, tid) / f32(width) + uniforms.epsilon);`;
const RMS_NORM = `${INVERSE_ROOT}
  if (inside) { ${each('result[begin + i] = x[begin + i] * r * gain[i];')} }`;
const RMS_NORM_GRADIENT = `${INVERSE_ROOT}
  var product = 0.0;
  ${each('product = product + dy[begin + i] * gain[i] * x[begin + i] * r;')}
  let along = total(product, tid) / f32(width);
  if (inside) { ${each('result[begin + i] = r * (dy[begin + i] * gain[i] - x[begin + i] * r * along);')} }`;
const RMS_NORM_ALONG = `${INVERSE_ROOT}
  if (inside) { ${each('result[begin + i] = dy[begin + i] * x[begin + i] * r;')} }`;

const SOFTMAX_GRADIENT = `var product = 0.0;
  ${each('product = product + p[begin + i] * dp[begin + i];')}
  let along = total(product, tid);
  if (inside) { ${each('result[begin + i] = p[begin + i] * (dp[begin + i] - along);')} }`;

/** The largest logit, the sum of exp(logit − largest). */
const SOFTMAX_SUM = `var high = logits[begin];
  ${each('high = max(high, logits[begin + i]);')}
  let largest = most(high, tid);
  var exponentials = 0.0;
  ${each('exponentials = exponentials + exp(logits[begin + i] - largest);')}
  let sum = total(exponentials, tid);`;
/** The entropy log Σ exp d − Σ p d, with d = logit − largest; the first of equal largest. */
const TOKEN_SCORES = `${SOFTMAX_SUM}
  var weighted = 0.0;
  var first = f32(width);
  ${each('let d = logits[begin + i] - largest; weighted = weighted + exp(d) * d; if (d == 0.0) { first = min(first, f32(i)); }')}
  let mean = total(weighted, tid) / sum;
  let best = -most(-first, tid);
  if (inside && tid == 0) {
    result[row] = logits[begin + targets[row]] - largest - log(sum);
    result[rows + row] = log(sum) - mean;
    result[2 * rows + row] = best;
  }`;
const TOKEN_SCORES_GRADIENT = `${SOFTMAX_SUM}
  if (inside) {
    let factor = coefficient[row];
    ${each('result[begin + i] = factor * (select(0.0, 1.0, i == targets[row]) - exp(logits[begin + i] - largest) / sum);')}
  }`;

const SUM_OF_SQUARES = `var square = 0.0;
  let end = min(begin + width, uniforms.count);
  for (var i = begin + tid; i < end; i = i + GROUP) { square = square + x[i] * x[i]; }
  let sum = total(square, tid);
  if (inside && tid == 0) { result[row] = sum; }`;

/** Where the cosines of a row stand, and the number that a turn by a right angle puts into this one's place. */
const TURN = `let row = index / uniforms.width;
  let column = index - row * uniforms.width;
  let place = (row / uniforms.stride * uniforms.length + row % uniforms.length) * uniforms.width;
  let half = uniforms.width / 2;
  let lower = column < half;
  let other = select(column - half, column + half, lower);
  let turned = x[row * uniforms.width + other];`;
const ROTATE = `${TURN}
  let y = x[index] * cosines[place + column] + select(turned, -turned, lower) * sines[place + column];`;
const ROTATE_GRADIENT = `${TURN}
  let y = x[index] * cosines[place + column] + select(-turned, turned, lower) * sines[place + other];`;

const ADAMW_FIRST = 'let y = result[index] * uniforms.beta + g[index] * uniforms.scale * (1.0 - uniforms.beta);';
const ADAMW_SECOND =
  'let scaled = g[index] * uniforms.scale; let y = result[index] * uniforms.beta + scaled * scaled * (1.0 - uniforms.beta);';
const ADAMW_WEIGHTS =
  'let y = w[index] * uniforms.keep - uniforms.stepSize * m[index] / (sqrt(v[index]) / uniforms.root + uniforms.epsilon);';
