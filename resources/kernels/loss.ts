// The language-model head's last step: log-softmax of chosen tokens with entropy, its gradient, and sampling.
import { exp1, exp4, log, madd, sumLanes } from './simd';

/** Largest of n floats. */
function maximum(x: usize, n: i32): f32 {
  let best = f32x4.splat(-Infinity);
  let i = 0;
  for (; i + 4 <= n; i += 4) best = f32x4.max(best, v128.load(x + 4 * i));
  let top = max<f32>(max<f32>(f32x4.extract_lane(best, 0), f32x4.extract_lane(best, 1)), max<f32>(f32x4.extract_lane(best, 2), f32x4.extract_lane(best, 3)));
  for (; i < n; i++) top = max<f32>(top, load<f32>(x + 4 * i));
  return top;
}

/** Lowest index whose value is `value`; −1 where there is none (not-a-number). */
function indexOf(x: usize, n: i32, value: f32): i32 {
  for (let i = 0; i < n; i++) if (load<f32>(x + 4 * i) == value) return i;
  return -1;
}

/**
 * For each row of logits [rows × vocabulary], z = logits · inverseTemperature:
 * logSum = log Σ e^z, logprob = z[target] − logSum, entropy = −Σ p log p (nats), greedy = 1 where the target is the arg-max.
 */
export function scoreRows(logits: usize, targets: usize, logprob: usize, entropy: usize, greedy: usize, logSum: usize, rows: i32, vocabulary: i32, inverseTemperature: f32): void {
  const t = f32x4.splat(inverseTemperature);
  for (let row = 0; row < rows; row++) {
    const top = maximum(logits, vocabulary);
    const high = f32x4.splat(top * inverseTemperature);
    let sums = f32x4.splat(0);
    let weighted = f32x4.splat(0);
    let i = 0;
    for (; i + 4 <= vocabulary; i += 4) {
      const z = f32x4.sub(f32x4.mul(v128.load(logits + 4 * i), t), high);
      const e = exp4(z);
      sums = f32x4.add(sums, e);
      weighted = madd(e, z, weighted);
    }
    let sum: f64 = sumLanes(sums);
    let weight: f64 = sumLanes(weighted);
    for (; i < vocabulary; i++) {
      const z: f32 = load<f32>(logits + 4 * i) * inverseTemperature - top * inverseTemperature;
      const e = exp1(z);
      sum += e;
      weight += <f64>e * z;
    }
    const logOfSum = log(sum);
    const lse: f64 = <f64>(top * inverseTemperature) + logOfSum;
    const target = load<i32>(targets + 4 * row);
    store<f32>(logSum + 4 * row, <f32>lse);
    store<f32>(logprob + 4 * row, <f32>(<f64>(load<f32>(logits + 4 * target) * inverseTemperature) - lse));
    store<f32>(entropy + 4 * row, <f32>(logOfSum - weight / sum));
    store<i32>(greedy + 4 * row, indexOf(logits, vocabulary, top) == target ? 1 : 0);
    logits += 4 * vocabulary;
  }
}

/** Logits become coefficient · (onehot(target) − softmax(z)) · inverseTemperature: the gradient of Σ coefficient · logprob. */
export function scoreRowsGradient(logits: usize, targets: usize, logSum: usize, coefficients: usize, rows: i32, vocabulary: i32, inverseTemperature: f32): void {
  const t = f32x4.splat(inverseTemperature);
  for (let row = 0; row < rows; row++) {
    const factor: f32 = load<f32>(coefficients + 4 * row) * inverseTemperature;
    if (factor == 0) {
      memory.fill(logits, 0, <usize>vocabulary * 4);
    } else {
      const lse = load<f32>(logSum + 4 * row);
      const shift = f32x4.splat(lse);
      const minus = f32x4.splat(-factor);
      let i = 0;
      for (; i + 4 <= vocabulary; i += 4) v128.store(logits + 4 * i, f32x4.mul(minus, exp4(f32x4.sub(f32x4.mul(v128.load(logits + 4 * i), t), shift))));
      for (; i < vocabulary; i++) store<f32>(logits + 4 * i, -factor * exp1(load<f32>(logits + 4 * i) * inverseTemperature - lse));
      const at = logits + 4 * load<i32>(targets + 4 * row);
      store<f32>(at, load<f32>(at) + factor);
    }
    logits += 4 * vocabulary;
  }
}

/** Each row's arg-max (lowest id on a tie) and its log-probability at temperature 1; logits become probabilities e^(z − logSum). */
export function greedyRows(logits: usize, ids: usize, logprob: usize, rows: i32, vocabulary: i32): void {
  for (let row = 0; row < rows; row++) {
    const lse = probabilities(logits, vocabulary, 1, ids + 4 * row);
    const id = load<i32>(ids + 4 * row);
    store<f32>(logprob + 4 * row, id < 0 ? f32.NaN : <f32>lse);
    logits += 4 * vocabulary;
  }
}

/**
 * Turns each row of logits into probabilities at the temperature and draws by inverse transform: the first id, in id order, whose
 * cumulative probability exceeds uniform · total. `ids` −1 marks a row without a finite distribution.
 */
export function sampleRows(logits: usize, uniforms: usize, ids: usize, logprob: usize, rows: i32, vocabulary: i32, inverseTemperature: f32): void {
  for (let row = 0; row < rows; row++) {
    probabilities(logits, vocabulary, inverseTemperature, ids + 4 * row);
    if (load<i32>(ids + 4 * row) >= 0) {
      const id = draw(logits, vocabulary, load<f32>(uniforms + 4 * row));
      store<i32>(ids + 4 * row, id);
      store<f32>(logprob + 4 * row, <f32>log(<f64>load<f32>(logits + 4 * id)));
    } else {
      store<f32>(logprob + 4 * row, f32.NaN);
    }
    logits += 4 * vocabulary;
  }
}

/** Softmax of one row in place. Writes the arg-max to `best` (−1 without one) and returns its log-probability. */
function probabilities(x: usize, n: i32, inverseTemperature: f32, best: usize): f64 {
  const top = maximum(x, n);
  store<i32>(best, indexOf(x, n, top));
  const t = f32x4.splat(inverseTemperature);
  const high = f32x4.splat(top * inverseTemperature);
  let sums = f32x4.splat(0);
  let i = 0;
  for (; i + 4 <= n; i += 4) {
    const e = exp4(f32x4.sub(f32x4.mul(v128.load(x + 4 * i), t), high));
    v128.store(x + 4 * i, e);
    sums = f32x4.add(sums, e);
  }
  let sum: f64 = sumLanes(sums);
  for (; i < n; i++) {
    const e = exp1(load<f32>(x + 4 * i) * inverseTemperature - top * inverseTemperature);
    store<f32>(x + 4 * i, e);
    sum += e;
  }
  const scale: f32 = <f32>(1 / sum);
  if (!isFinite(scale)) store<i32>(best, -1);
  for (i = 0; i + 4 <= n; i += 4) v128.store(x + 4 * i, f32x4.mul(v128.load(x + 4 * i), f32x4.splat(scale)));
  for (; i < n; i++) store<f32>(x + 4 * i, load<f32>(x + 4 * i) * scale);
  return -log(sum);
}

function draw(p: usize, n: i32, uniform: f32): i32 {
  let total: f64 = 0;
  for (let i = 0; i < n; i++) total += <f64>load<f32>(p + 4 * i);
  const goal = <f64>uniform * total;
  let sum: f64 = 0;
  for (let i = 0; i < n; i++) {
    sum += <f64>load<f32>(p + 4 * i);
    if (sum > goal) return i;
  }
  return n - 1;
}
