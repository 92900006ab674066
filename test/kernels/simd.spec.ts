import {
  FUSED,
  lanesBelow,
  loadPixels,
  madd,
  maxLane,
  nmadd,
  storeTransposed,
  sumLanes,
  zero,
} from '../../assembly/simd/simd';
import {
  allocate,
  at,
  begin,
  expectGuards,
  expectSame,
  expectThat,
  fillUniform,
  floats,
  put,
  uniform,
} from './support';

const LANES = memory.data(16, 16);

/** Four f32 as a vector. */
function vector(a: f32, b: f32, c: f32, d: f32): v128 {
  put(LANES, 0, a);
  put(LANES, 1, b);
  put(LANES, 2, c);
  put(LANES, 3, d);
  return v128.load(LANES);
}

/**
 * a * b + c as the build promises: rounded twice where plain, once where fused. There the f64 product is exact, and
 * the f64 sum leaves 29 bits to spare, so that rounding it again changes one result in 2^29.
 */
function maddTwin(a: f32, b: f32, c: f32): f32 {
  return FUSED ? <f32>(<f64>a * <f64>b + <f64>c) : a * b + c;
}

describe('madd and nmadd', () => {
  it('round a b + c once in the relaxed builds and twice in the plain ones (exact)', () => {
    begin('(1 + e)^2 - 1', 0);
    // (1 + 2^-12)^2 = 1 + 2^-11 + 2^-24: two roundings lose the last term.
    // Through memory, since the optimiser folds constant operands of a fused madd as a + b c, which is another number.
    const base = <f32>(1.0 + 1.0 / 4096.0);
    const a = vector(base, base, base, base);
    const product: f32 = FUSED ? <f32>(1.0 / 2048.0 + 1.0 / 16777216.0) : <f32>(1.0 / 2048.0);
    expectSame(f32x4.extract_lane(madd(a, a, f32x4.splat(-1)), 0), product, 'madd', 0, 0);
    expectSame(f32x4.extract_lane(nmadd(a, a, f32x4.splat(1)), 0), -product, 'nmadd', 0, 0);
  });

  it('act lane by lane on random numbers (exact)', () => {
    begin('random', 1);
    const a = floats(4);
    const b = floats(4);
    const c = floats(4);
    const out = floats(8);
    for (let round = 0; round < 1000; round++) {
      fillUniform(a, 4, -2, 2);
      fillUniform(b, 4, -2, 2);
      fillUniform(c, 4, -2, 2);
      v128.store(out, madd(v128.load(a), v128.load(b), v128.load(c)));
      v128.store(out, nmadd(v128.load(a), v128.load(b), v128.load(c)), 16);
      for (let lane = 0; lane < 4; lane++) {
        expectSame(at(out, lane), maddTwin(at(a, lane), at(b, lane), at(c, lane)), 'madd', round, lane);
        expectSame(at(out, 4 + lane), maddTwin(-at(a, lane), at(b, lane), at(c, lane)), 'nmadd', round, lane);
      }
    }
    expectGuards();
  });
});

describe('sumLanes, maxLane and zero', () => {
  it('sumLanes adds (l0 + l2) + (l1 + l3), in that order (exact)', () => {
    begin('order', 2);
    expect(sumLanes(vector(1, 20, 300, 4000))).toBe(4321);
    // 2^24 + 1 rounds back to 2^24, so only the pairs (l0, l2) and (l1, l3) keep the ones.
    const big: f32 = 16777216;
    expect(sumLanes(vector(big, 1, -big, 1))).toBe(2);
    expect(sumLanes(vector(1, big, 1, -big))).toBe(2);
    for (let round = 0; round < 100; round++) {
      const a = <f32>uniform(-1, 1);
      const b = <f32>uniform(-1, 1);
      const c = <f32>uniform(-1, 1);
      const d = <f32>uniform(-1, 1);
      expectSame(sumLanes(vector(a, b, c, d)), a + c + (b + d), 'sumLanes', round, 0);
    }
  });

  it('maxLane finds the largest in every lane (exact)', () => {
    begin('each lane', 0);
    expect(maxLane(vector(-1, -2, -3, -4))).toBe(-1);
    expect(maxLane(vector(-2, -1, -3, -4))).toBe(-1);
    expect(maxLane(vector(-2, -3, -1, -4))).toBe(-1);
    expect(maxLane(vector(-2, -3, -4, -1))).toBe(-1);
    expect(maxLane(vector(-Infinity, -Infinity, 7, -Infinity))).toBe(7);
  });

  it('zero is four times +0 (exact)', () => {
    expect(v128.any_true(zero())).toBe(false);
  });
});

describe('lanesBelow', () => {
  it('sets the lanes whose index is below the count (exact)', () => {
    begin('all counts', 0);
    const out = allocate(16);
    for (let first = 0; first <= 12; first += 4) {
      for (let count = 0; count <= 20; count++) {
        v128.store(out, lanesBelow(first, count));
        for (let lane = 0; lane < 4; lane++) {
          const bits = load<u32>(out + (<usize>lane << 2));
          const expected: u32 = first + lane < count ? 0xffffffff : 0;
          expectThat(bits == expected, `lane ${lane.toString()} from ${first.toString()} of ${count.toString()}`);
        }
      }
    }
    expectGuards();
  });
});

describe('loadPixels', () => {
  it('gives v / 255 correctly rounded for all 256 bytes, in every lane (exact)', () => {
    begin('all bytes', 0);
    const bytes = allocate(259);
    for (let i = 0; i < 259; i++) store<u8>(bytes + i, <u8>i);
    const out = floats(4);
    for (let first = 0; first < 256; first++) {
      v128.store(out, loadPixels(bytes + first));
      for (let lane = 0; lane < 4; lane++) {
        const value = (first + lane) & 255;
        expectSame(at(out, lane), <f32>value / 255, 'pixel', first, lane);
        expectSame(at(out, lane), <f32>(<f64>value / 255.0), 'pixel, from f64', first, lane);
      }
    }
    expectGuards();
  });
});

describe('storeTransposed', () => {
  it('stores the transpose at every stride, and nothing in between (exact)', () => {
    const strides: usize[] = [16, 20, 24, 32, 52];
    for (let s = 0; s < strides.length; s++) {
      const stride = strides[s];
      begin(`stride ${stride.toString()}`, 0);
      const out = allocate(3 * stride + 16);
      storeTransposed(
        vector(0, 1, 2, 3),
        vector(10, 11, 12, 13),
        vector(20, 21, 22, 23),
        vector(30, 31, 32, 33),
        out,
        stride,
      );
      for (let i = 0; i < 4; i++) {
        const row = out + <usize>i * stride;
        for (let j = 0; j < 4; j++) {
          const expected = 10 * j + i;
          expectSame(at(row, j), <f32>expected, 'transpose', i, j);
        }
        for (let byte: usize = 16; i < 3 && byte < stride; byte++) {
          expectThat(load<u8>(row + byte) == 0xff, `byte ${byte.toString()} of row ${i.toString()} was written`);
        }
      }
      expectGuards();
    }
  });
});
