import { binaryCrossEntropyBackward, log1p4, sigmoidForward } from '../../assembly/loss/sigmoid';
import { HUBER, SQUARED, squaredBackward, squaredForward } from '../../assembly/loss/squared';
import {
  EPS,
  accumulated,
  allocate,
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
  randomBelow,
  roundUp,
  shuffled,
  ulp,
  uniform,
} from './support';

// The losses over float targets: binary cross-entropy, squared error and Huber's. Each against its f64 twin, written
// from the definition, and the twin's gradient against central differences.

const OUTPUTS: i32[] = [1, 2, 3, 4, 5, 7, 8, 17, 100];
const BATCH: i32 = 7;
const SAMPLES: i32 = 29;
/** What exp4 gives instead of less: its clamp at -87.3. */
const LEAST: f64 = 1.25e-38;
/** Huber's delta. */
const DELTA: f32 = 0.75;

const BINARY: i32 = 2;
const KINDS: i32[] = [SQUARED, HUBER, BINARY];
const NAMES: string[] = ['squared error', 'Huber', 'binary cross-entropy'];

// One case: BATCH rows of C outputs, ld elements apart, whose padding is NaN; targets without padding, NaN behind them.
let kind: i32 = 0;
let C: i32 = 0;
let ld: i32 = 0;
let x: usize = 0;
let p: usize = 0;
let targets: usize = 0;
let order: usize = 0;
let weights: usize = 0;
let loss: usize = 0;

function makeCase(outputs: i32, rowLength: i32, largest: f64): void {
  C = outputs;
  ld = rowLength;
  begin(`${NAMES[kind]} C=${C.toString()} ld=${ld.toString()} +-${largest.toString()}`, (kind * 1009 + C) * 1009 + ld);
  x = floats(BATCH * ld);
  for (let b = 0; b < BATCH; b++) fillUniform(x + ((<usize>b * ld) << 2), C, -largest, largest);
  p = floats(BATCH * ld);
  targets = allocate(((SAMPLES * C) << 2) + 16);
  // Of the binary targets two in three are 0 or 1.
  for (let i = 0; i < SAMPLES * C; i++) {
    const share = randomBelow(3);
    if (kind != BINARY) fillUniform(targets + (<usize>i << 2), 1, -largest, largest);
    else put(targets, i, share < 2 ? <f32>share : <f32>uniform(0, 1));
  }
  order = shuffled(SAMPLES);
  weights = floats(SAMPLES);
  fillUniform(weights, SAMPLES, 0, 3);
  loss = floats(BATCH);
}

function forward(targets: usize, order: usize, from: i32, to: i32): void {
  if (kind == BINARY) sigmoidForward(C, ld, x, p, targets, order, loss, from, to);
  else squaredForward(kind, DELTA, C, ld, x, p, targets, order, loss, from, to);
}

function backward(weights: usize, inverse: f32, from: i32, to: i32): void {
  if (kind == BINARY) binaryCrossEntropyBackward(C, ld, p, targets, order, weights, inverse, from, to);
  else squaredBackward(kind, DELTA, C, ld, p, targets, order, weights, inverse, from, to);
}

function sample(b: i32): i32 {
  return load<u32>(order + (<usize>b << 2));
}

// The f64 twin of one element

function probability(x: f64): f64 {
  return 1 / (1 + Math.exp(-x));
}

/** ln(1 + exp(x)); e^x is not finite from 710 on. */
function softplus(x: f64): f64 {
  return x > 700 ? x : Math.log1p(Math.exp(x));
}

function termOf(x: f64, t: f64): f64 {
  if (kind == BINARY) return t * softplus(-x) + (1 - t) * softplus(x);
  const d = Math.abs(x - t);
  if (kind == SQUARED) return d * d;
  return d <= <f64>DELTA ? 0.5 * d * d : <f64>DELTA * (d - 0.5 * <f64>DELTA);
}

function slopeOf(x: f64, t: f64): f64 {
  if (kind == BINARY) return probability(x) - t;
  if (kind == SQUARED) return 2 * (x - t);
  return min(max(x - t, -<f64>DELTA), <f64>DELTA);
}

/** Predictions, loss and gradient of every row, with weights and without, against the twin. */
function expectRows(): void {
  const inputs = copied(x, BATCH * ld);
  forward(targets, order, 0, BATCH);
  const heads = copied(p, BATCH * ld);
  backward(0, 0.25, 0, BATCH);
  const plain = copied(p, BATCH * ld);
  memory.copy(p, heads, (BATCH * ld) << 2);
  backward(weights, 0.25, 0, BATCH);
  for (let b = 0; b < BATCH; b++) {
    let expected: f64 = 0;
    let error: f64 = 0;
    for (let c = 0; c < C; c++) {
      const i = b * ld + c;
      const v = <f64>at(x, i);
      const t = <f64>at(targets, sample(b) * C + c);
      const head = kind == BINARY ? probability(v) : v;
      // exp4's ULP, and the roundings of sum and quotient.
      const headError = kind == BINARY ? 6 * EPS * head + LEAST : 0;
      expectNear(at(heads, i), head, headError, 'p', b, c);
      expected += termOf(v, t);
      // The rounding of x - t, or of 1 - t and of the logarithm's parts, and of what is made of them.
      const size = kind == BINARY ? termOf(v, t) : termOf(v, t) + EPS * Math.abs(v - t) * Math.abs(v - t);
      error += 12 * EPS * size + (kind == BINARY ? EPS * EPS * Math.abs(v) + LEAST : 0);
      const slope = slopeOf(v, t);
      const slopeError = headError + 2 * EPS * Math.abs(slope);
      expectNear(at(plain, i), (slope * 0.25) / C, ((slopeError + 4 * EPS * Math.abs(slope)) * 0.25) / C, 'dx', b, c);
      const factor = (0.25 * <f64>at(weights, sample(b))) / C;
      expectNear(at(p, i), slope * factor, (slopeError + 6 * EPS * Math.abs(slope)) * factor, 'weighted dx', b, c);
    }
    expectNear(at(loss, b), expected / C, (error + accumulated(C + 2) * expected) / C, 'loss', b, 0);
    for (let c = C; c < ld; c++) {
      expectSame(at(heads, b * ld + c), 0, 'padding of p', b, c);
      expectSame(at(plain, b * ld + c), 0, 'padding of dx', b, c);
      expectSame(at(p, b * ld + c), 0, 'padding of the weighted dx', b, c);
    }
  }
  expectSameBytes(x, inputs, BATCH, ld, ld, 'the outputs afterwards');
  expectGuards();
}

function checkOutputs(which: i32, largest: f64): void {
  kind = which;
  for (let i = 0; i < OUTPUTS.length; i++) {
    makeCase(OUTPUTS[i], roundUp(OUTPUTS[i], 4), largest);
    expectRows();
    makeCase(OUTPUTS[i], roundUp(OUTPUTS[i], 32), largest);
    expectRows();
  }
}

describe('losses over float targets against f64: 2^-24 for each rounding, 2 ULP of exp4 and log4', () => {
  it('binary cross-entropy, logits up to +-1, +-20 and +-1000', () => {
    checkOutputs(BINARY, 1);
    checkOutputs(BINARY, 20);
    checkOutputs(BINARY, 1000);
  });
  it('squared error, up to +-1 and +-1000000', () => {
    checkOutputs(SQUARED, 1);
    checkOutputs(SQUARED, 1000000);
  });
  it('Huber, inside and outside of delta', () => {
    checkOutputs(HUBER, 0.3);
    checkOutputs(HUBER, 1);
    checkOutputs(HUBER, 1000);
  });

  it('rows split in any way give the same bytes, and without targets the same predictions and no loss (exact)', () => {
    for (let k = 0; k < KINDS.length; k++) {
      kind = KINDS[k];
      for (let cut = 0; cut <= BATCH; cut++) {
        makeCase(5, 32, 3);
        const fresh = floats(BATCH);
        forward(targets, order, 0, BATCH);
        const heads = copied(p, BATCH * ld);
        const losses = copied(loss, BATCH);
        memory.fill(loss, 0xff, BATCH << 2);
        memory.fill(p, 0xff, (BATCH * ld) << 2);
        forward(0, 0, 0, BATCH);
        expectSameBytes(p, heads, BATCH, ld, ld, 'p without targets');
        expectSameBytes(loss, fresh, 1, BATCH, BATCH, 'loss without targets');
        memory.fill(p, 0xff, (BATCH * ld) << 2);
        forward(targets, order, cut, BATCH);
        forward(targets, order, 0, cut);
        expectSameBytes(p, heads, BATCH, ld, ld, 'p');
        expectSameBytes(loss, losses, 1, BATCH, BATCH, 'loss');
        backward(weights, 0.25, cut, BATCH);
        backward(weights, 0.25, 0, cut);
        const parts = copied(p, BATCH * ld);
        memory.copy(p, heads, (BATCH * ld) << 2);
        backward(weights, 0.25, 0, BATCH);
        expectSameBytes(parts, p, BATCH, ld, ld, 'dx');
        expectGuards();
      }
    }
  });

  it('a NaN output makes the loss of its own row NaN, and of no other', () => {
    for (let k = 0; k < KINDS.length; k++) {
      kind = KINDS[k];
      makeCase(5, 32, 3);
      put(x, 3 * ld + 2, NaN);
      forward(targets, order, 0, BATCH);
      for (let b = 0; b < BATCH; b++) expectThat(isNaN(at(loss, b)) == (b == 3), `row ${b.toString()}'s loss`);
    }
  });
});

describe('binary cross-entropy on certain answers', () => {
  it('a logit of +-1e30 gives a probability of 0 or 1, no loss where it is right and 1e30 where it is wrong', () => {
    kind = BINARY;
    for (let sign = -1; sign <= 1; sign += 2) {
      for (let t = 0; t < 2; t++) {
        makeCase(1, 4, 1);
        for (let b = 0; b < BATCH; b++) put(x, b * ld, <f32>(<f64>sign * 1e30));
        for (let i = 0; i < SAMPLES; i++) put(targets, i, <f32>t);
        forward(targets, order, 0, BATCH);
        const right = (sign > 0) == (t == 1);
        expectNear(at(loss, 0), right ? 0 : 1e30, right ? LEAST : 1e30 * EPS, 'loss', 0, 0);
        expectNear(at(p, 0), sign > 0 ? 1 : 0, LEAST, 'p', 0, 0);
      }
    }
  });

  it('log1p4 is within 4 ULP on (0, 1], down to the least normal number', () => {
    begin('log1p4', 5);
    for (let i = 0; i < 40000; i++) {
      const e = <f32>Math.pow(2, -126 * (<f64>i / 40000) * (i % 2 == 0 ? 1 : 0.2));
      const exact = Math.log1p(<f64>e);
      const found = f32x4.extract_lane(log1p4(f32x4.splat(e)), 0);
      expectNear(found, exact, 4 * ulp(exact), 'log1p', i, 0);
    }
  });
});

describe('the f64 twins', () => {
  it('have the gradients of their own losses: central differences within 1e-7', () => {
    const h: f64 = 1e-6;
    for (let k = 0; k < KINDS.length; k++) {
      kind = KINDS[k];
      makeCase(17, 32, 2);
      for (let b = 0; b < BATCH; b++) {
        for (let c = 0; c < C; c++) {
          const v = <f64>at(x, b * ld + c);
          const t = <f64>at(targets, sample(b) * C + c);
          // Huber's slope has a corner at delta.
          if (kind == HUBER && Math.abs(Math.abs(v - t) - <f64>DELTA) < 2 * h) continue;
          expectNear((termOf(v + h, t) - termOf(v - h, t)) / (2 * h), slopeOf(v, t), 1e-7, 'dloss / dx', b, c);
        }
      }
    }
  });
});
