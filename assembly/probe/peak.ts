import { madd } from '../simd/simd';

/** Multiply-adds of four lanes in one iteration of `peak`: enough independent sums to fill every pipeline. */
export const PEAK_CHAINS: i32 = 12;

/**
 * Runs PEAK_CHAINS independent madd chains `iterations` times without touching memory: the machine's FMA peak,
 * 8 PEAK_CHAINS floating-point operations an iteration. out: 16 bytes, overwritten, so that nothing is optimised away.
 */
export function peak(iterations: i32, out: usize): void {
  const a = f32x4.splat(load<f32>(out));
  const b = f32x4.splat(load<f32>(out, 4));
  let c0 = a;
  let c1 = a;
  let c2 = a;
  let c3 = a;
  let c4 = a;
  let c5 = a;
  let c6 = a;
  let c7 = a;
  let c8 = a;
  let c9 = a;
  let c10 = a;
  let c11 = a;
  for (let i = 0; i < iterations; i++) {
    c0 = madd(a, b, c0);
    c1 = madd(a, b, c1);
    c2 = madd(a, b, c2);
    c3 = madd(a, b, c3);
    c4 = madd(a, b, c4);
    c5 = madd(a, b, c5);
    c6 = madd(a, b, c6);
    c7 = madd(a, b, c7);
    c8 = madd(a, b, c8);
    c9 = madd(a, b, c9);
    c10 = madd(a, b, c10);
    c11 = madd(a, b, c11);
  }
  const low = f32x4.add(f32x4.add(f32x4.add(c0, c1), f32x4.add(c2, c3)), f32x4.add(c4, c5));
  const high = f32x4.add(f32x4.add(f32x4.add(c6, c7), f32x4.add(c8, c9)), f32x4.add(c10, c11));
  v128.store(out, f32x4.add(low, high));
}
