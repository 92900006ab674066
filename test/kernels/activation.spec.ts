import {
  GELU,
  IDENTITY,
  LEAKY_RELU,
  RELU,
  SIGMOID,
  SILU,
  TANH,
  activate,
  activation4,
  derivative4,
} from '../../assembly/nn/activation';
import {
  KINDS,
  NAMES,
  activationError,
  activationTwin,
  bend,
  densityTwin,
  derivativeError,
  derivativeTwin,
  normalTwin,
  steepness,
} from './activation-twin';
import {
  at,
  begin,
  copied,
  expectGuards,
  expectNear,
  expectSame,
  expectSameBytes,
  expectThat,
  fillUniform,
  floats,
  put,
} from './support';

/** Leaky ReLU's slope. */
const SLOPE: f32 = 0.01;
/** Bits of the largest f32. */
const LARGEST: u32 = 0x7f7fffff;
const SIGN: u32 = 0x80000000;

/** f(z) by activation4. */
function value(kind: i32, z: v128): v128 {
  const slope = f32x4.splat(SLOPE);
  if (kind == RELU) return activation4(RELU, z, slope);
  if (kind == LEAKY_RELU) return activation4(LEAKY_RELU, z, slope);
  if (kind == TANH) return activation4(TANH, z, slope);
  if (kind == SIGMOID) return activation4(SIGMOID, z, slope);
  if (kind == GELU) return activation4(GELU, z, slope);
  if (kind == SILU) return activation4(SILU, z, slope);
  return activation4(IDENTITY, z, slope);
}

/** f'(z) by derivative4. */
function derivative(kind: i32, z: v128): v128 {
  const slope = f32x4.splat(SLOPE);
  if (kind == RELU) return derivative4(RELU, z, slope);
  if (kind == LEAKY_RELU) return derivative4(LEAKY_RELU, z, slope);
  if (kind == TANH) return derivative4(TANH, z, slope);
  if (kind == SIGMOID) return derivative4(SIGMOID, z, slope);
  if (kind == GELU) return derivative4(GELU, z, slope);
  if (kind == SILU) return derivative4(SILU, z, slope);
  return derivative4(IDENTITY, z, slope);
}

function valueOf(kind: i32, z: f32): f32 {
  return f32x4.extract_lane(value(kind, f32x4.splat(z)), 0);
}

function derivativeOf(kind: i32, z: f32): f32 {
  return f32x4.extract_lane(derivative(kind, f32x4.splat(z)), 0);
}

/** Value and derivative of every step-th f32 with bits in [first, last], of both signs. */
function sweep(kind: i32, first: u32, last: u32, step: u32): void {
  for (let bits = first; bits <= last && bits >= first; bits += step) {
    for (let sign = 0; sign < 2; sign++) {
      const z = reinterpret<f32>(bits | (sign == 0 ? 0 : SIGN));
      const exact = activationTwin(kind, SLOPE, z);
      expectNear(valueOf(kind, z), exact, activationError(kind, SLOPE, z), `f(${z.toString()})`, 0, 0);
      const slope = derivativeTwin(kind, SLOPE, z);
      expectNear(derivativeOf(kind, z), slope, derivativeError(kind), `f'(${z.toString()})`, 0, 0);
    }
  }
}

describe('activations against f64, within the bounds at the head of nn/activation', () => {
  it('all magnitudes from 0 to the largest f32', () => {
    for (let k = 0; k < KINDS.length; k++) {
      begin(`${NAMES[k]}, all magnitudes`, 0);
      sweep(KINDS[k], 0, LARGEST, 200003);
      sweep(KINDS[k], LARGEST, LARGEST, 1);
    }
  });

  it('closely from 1/1024 to 128, where they bend and saturate', () => {
    for (let k = 0; k < KINDS.length; k++) {
      begin(`${NAMES[k]}, 1/1024 to 128`, 0);
      sweep(KINDS[k], reinterpret<u32>(<f32>(1.0 / 1024)), reinterpret<u32>(<f32>128), 5003);
    }
  });
});

describe('activations on tails of 20 to 3e38', () => {
  it('saturate and stay finite: the identity, 0, 1 or -1, and their slopes (exact, or below 2e-36)', () => {
    const tails: f32[] = [100, 1000, 1e10, 1e19, 2e19, 1e30, 1.7e38, 3e38, 3.4e38];
    for (let i = 0; i < tails.length; i++) {
      const z = tails[i];
      begin(`tail of ${z.toString()}`, 0);
      for (let k = 0; k < KINDS.length; k++) {
        const kind = KINDS[k];
        const bounded = kind == TANH || kind == SIGMOID;
        expectSame(valueOf(kind, z), bounded ? 1 : z, `${NAMES[k]} of`, i, 0);
        expectSame(derivativeOf(kind, z), bounded ? 0 : 1, `derivative of ${NAMES[k]} at`, i, 0);
        const low = kind == IDENTITY ? -<f64>z : kind == LEAKY_RELU ? <f64>(SLOPE * -z) : kind == TANH ? -1.0 : 0.0;
        expectNear(valueOf(kind, -z), low, 2e-38, `${NAMES[k]} of minus`, i, 0);
        const slope = kind == IDENTITY ? 1.0 : kind == LEAKY_RELU ? <f64>SLOPE : 0.0;
        expectNear(derivativeOf(kind, -z), slope, 2e-36, `derivative of ${NAMES[k]} at minus`, i, 0);
      }
    }
  });

  it('keep NaN, in its lane only', () => {
    begin('NaN', 0);
    const z = floats(4);
    const y = floats(4);
    for (let k = 0; k < KINDS.length; k++) {
      for (let lane = 0; lane < 4; lane++) put(z, lane, lane == 2 ? NaN : 0.5);
      v128.store(y, value(KINDS[k], v128.load(z)));
      for (let lane = 0; lane < 4; lane++) {
        expectThat(isNaN(at(y, lane)) == (lane == 2), `${NAMES[k]} in lane ${lane.toString()}`);
      }
    }
  });
});

describe('activate', () => {
  it('writes activation4 of each element, into another buffer or in place (exact)', () => {
    const counts: i32[] = [4, 8, 12, 16, 20, 60, 64, 68, 132];
    for (let c = 0; c < counts.length; c++) {
      for (let k = 0; k < KINDS.length; k++) {
        const count = counts[c];
        begin(`${NAMES[k]}, ${count.toString()} elements`, count);
        const source = floats(count);
        fillUniform(source, count, -5, 5);
        const kept = copied(source, count);
        const out = floats(count);
        activate(KINDS[k], SLOPE, count, source, out);
        for (let i = 0; i < count; i++) expectSame(at(out, i), valueOf(KINDS[k], at(kept, i)), 'out', i, 0);
        expectSameBytes(source, kept, 1, count, count, 'the source');
        activate(KINDS[k], SLOPE, count, source, source);
        expectSameBytes(source, out, 1, count, count, 'in place');
        expectGuards();
      }
    }
  });
});

describe('the f64 twins', () => {
  it('have known values: Phi(1), Phi(-5) and Phi(-10) within 1e-13 of themselves', () => {
    begin('Phi', 0);
    expectNear(normalTwin(1), 0.8413447460685429, 1e-13, 'Phi', 1, 0);
    expectNear(normalTwin(-1), 0.15865525393145705, 1e-13, 'Phi', -1, 0);
    expectNear(normalTwin(-5), 2.866515718791939e-7, 2.9e-20, 'Phi', -5, 0);
    expectNear(normalTwin(-10), 7.619853024160527e-24, 7.6e-37, 'Phi', -10, 0);
  });

  it('have the derivatives of their own values: central differences within 1e-8; so have Phi and its density', () => {
    begin('central differences', 0);
    const h: f64 = 1e-5;
    for (let i = -300; i <= 300; i++) {
      const z = <f64>i / 25 + 0.0003;
      expectNear((normalTwin(z + h) - normalTwin(z - h)) / (2 * h), densityTwin(z), 1e-8, 'density', i, 0);
      for (let k = 0; k < KINDS.length; k++) {
        const kind = KINDS[k];
        const above = activationTwin(kind, SLOPE, z + h);
        const below = activationTwin(kind, SLOPE, z - h);
        const slope = derivativeTwin(kind, SLOPE, z);
        expectNear((above - below) / (2 * h), slope, 1e-8, NAMES[k], i, 0);
        expectThat(Math.abs(slope) <= steepness(kind), `${NAMES[k]} is steeper than its bound at ${z.toString()}`);
        const change = derivativeTwin(kind, SLOPE, z + h) - derivativeTwin(kind, SLOPE, z - h);
        const bent = Math.abs(change) <= 2 * h * bend(kind) + 1e-12;
        expectThat(bent, `${NAMES[k]} bends more than its bound at ${z.toString()}`);
      }
    }
  });
});
