import { IDENTITY, RELU } from '../../assembly/nn/activation';
import {
  B,
  KEY0,
  KEY1,
  LAYER,
  O,
  STEP,
  THRESHOLDS,
  forward,
  keepBelow,
  keepScale,
  ld,
  makeCase,
  out,
  setBlock,
  vectors,
  z,
} from './block-case';
import { BATCH_NORM, NO_NORM, drawn } from './block-twin';
import { at, copied, expectGuards, expectNear, expectThat, put } from './support';

// The dropout mask of nn/block by itself: in the fused passes, and as the step of its own that all other blocks take.

/** The fused passes with gamma = 0 and beta = 1, or z = 1 by itself: out is the mask, times keepScale. */
function makeMask(fused: bool, threshold: i32): void {
  setBlock(fused ? RELU : IDENTITY, fused ? BATCH_NORM : NO_NORM);
  makeCase(512, 48, 48, threshold);
  for (let i = 0; i < B * ld && !fused; i++) put(z, i, 1);
  for (let o = 0; o < O; o++) {
    put(vectors.gamma, o, 0);
    put(vectors.beta, o, 1);
  }
}

/** The whole mask has to be the scalar generator's. */
function expectMask(): void {
  forward(STEP, LAYER, KEY0, KEY1, 0, 3);
  for (let b = 0; b < B; b++) {
    for (let o = 0; o < O; o++) {
      const kept = drawn(b, o, STEP, LAYER, KEY0, KEY1) < keepBelow;
      expectNear(at(out, b * ld + o), kept ? keepScale : 0, 0, 'mask', b, o);
    }
  }
  expectGuards();
}

/** How many of the mask's elements differ between `first` and what this step, layer and key give. */
function differences(first: usize, step: i32, layer: i32, key0: u32, key1: u32): f64 {
  forward(step, layer, key0, key1, 0, 3);
  let count = 0;
  for (let i = 0; i < B * O; i++) count += i32(at(out, i) != at(first, i));
  return count;
}

/** The number of kept elements has to lie within five standard errors of its mean; out is keepScale where kept. */
function expectKeepRate(fused: bool, threshold: i32): void {
  makeMask(fused, threshold);
  forward(STEP, LAYER, KEY0, KEY1, 0, 3);
  let kept = 0;
  for (let i = 0; i < B * O; i++) {
    if (at(out, i) == 0) continue;
    kept++;
    expectNear(at(out, i), keepScale, 0, 'out', i / O, i % O);
  }
  const count = <f64>(B * O);
  const rate = <f64>threshold / 65536.0;
  expectNear(kept, count * rate, 5 * Math.sqrt(count * rate * (1 - rate)), 'kept elements', 0, 0);
  expectGuards();
}

function checkKeepRates(fused: bool): void {
  for (let t = 0; t < THRESHOLDS.length; t++) expectKeepRate(fused, THRESHOLDS[t]);
}

function checkMasks(fused: bool): void {
  makeMask(fused, 1);
  expectMask();
  makeMask(fused, 65535);
  expectMask();
  for (let o = 0; o < 48; o += fused ? 5 : 11) {
    const draw = drawn(3 * o, o, STEP, LAYER, KEY0, KEY1);
    makeMask(fused, draw);
    expectMask();
    makeMask(fused, draw + 1);
    expectMask();
  }
}

function checkDifferences(fused: bool): void {
  makeMask(fused, 32768);
  forward(STEP, LAYER, KEY0, KEY1, 0, 3);
  const first = copied(out, B * O);
  const half = <f64>(B * O) / 2;
  const error = 5 * Math.sqrt(half / 2);
  expectThat(differences(first, STEP, LAYER, KEY0, KEY1) == 0, 'the same counter drew another mask');
  expectNear(differences(first, STEP + 1, LAYER, KEY0, KEY1), half, error, 'differences by step', 0, 0);
  expectNear(differences(first, STEP, LAYER + 1, KEY0, KEY1), half, error, 'differences by layer', 0, 0);
  expectNear(differences(first, STEP, LAYER, KEY0 + 1, KEY1), half, error, 'differences by key0', 0, 0);
  expectNear(differences(first, STEP, LAYER, KEY0, KEY1 + 1), half, error, 'differences by key1', 0, 0);
  expectGuards();
}

describe('the dropout mask, in the fused passes and by itself', () => {
  it('keeps a share of 1, 0.5 and 0.7 (five standard errors) and scales it by its inverse (exact)', () => {
    checkKeepRates(true);
    checkKeepRates(false);
  });

  it('equals that of the scalar generator, at thresholds on and next to its own draws (exact)', () => {
    checkMasks(true);
    checkMasks(false);
  });

  it('changes at half of the elements (five standard errors) with the step, the layer and each key word', () => {
    checkDifferences(true);
    checkDifferences(false);
  });
});
