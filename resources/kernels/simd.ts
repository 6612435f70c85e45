// Vector arithmetic that the kernels share. Nothing here allocates or needs static data.

// @ts-ignore: decorator
@external('math', 'log')
export declare function log(x: f64): f64;

/** a · b + c, fused where the processor can. */
// @ts-ignore: decorator
@inline
export function madd(a: v128, b: v128, c: v128): v128 {
  return f32x4.relaxed_madd(a, b, c);
}

/** Sum of the four lanes, always in the same order. */
// @ts-ignore: decorator
@inline
export function sumLanes(x: v128): f32 {
  return f32x4.extract_lane(x, 0) + f32x4.extract_lane(x, 1) + (f32x4.extract_lane(x, 2) + f32x4.extract_lane(x, 3));
}

/**
 * e^x within 2 units in the last place: x = n·ln 2 + r with |r| ≤ ln 2 / 2, a Taylor polynomial of degree 7 in r, then 2^n put into the
 * exponent bits. Below −87 the result is about 1.6e-38, above 88 it stays at e^88.
 */
// @ts-ignore: decorator
@inline
export function exp4(x: v128): v128 {
  x = f32x4.min(f32x4.max(x, f32x4.splat(-87)), f32x4.splat(88));
  const n = f32x4.nearest(f32x4.mul(x, f32x4.splat(1.44269504)));
  let r = madd(n, f32x4.splat(-0.693359375), x);
  r = madd(n, f32x4.splat(2.12194440e-4), r);
  let p = f32x4.splat(1.98412698e-4);
  p = madd(p, r, f32x4.splat(1.38888889e-3));
  p = madd(p, r, f32x4.splat(8.33333333e-3));
  p = madd(p, r, f32x4.splat(4.16666667e-2));
  p = madd(p, r, f32x4.splat(1.66666667e-1));
  p = madd(p, r, f32x4.splat(0.5));
  p = madd(p, r, f32x4.splat(1));
  p = madd(p, r, f32x4.splat(1));
  return i32x4.add(p, i32x4.shl(i32x4.trunc_sat_f32x4_s(n), 23));
}

/** e^x of one number, equal to a lane of `exp4`. */
// @ts-ignore: decorator
@inline
export function exp1(x: f32): f32 {
  return f32x4.extract_lane(exp4(f32x4.splat(x)), 0);
}
