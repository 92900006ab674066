import { argmaxRow, crossEntropyBackward, softmaxForward } from '../../assembly/loss/softmax';
import {
  EPS,
  accumulated,
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
} from './support';

const CLASSES: i32[] = [2, 3, 4, 5, 10, 17, 100];
const BATCH: i32 = 7;
const SAMPLES: i32 = 29;
/** Relative error of 2 ULP, the bound of exp4 and of log4. */
const TWO_ULP: f64 = 4 * EPS;
/** What exp4 gives instead of less: its clamp at -87.3. */
const LEAST: f64 = 1.25e-38;

// One case: BATCH rows of C logits, ld elements apart, whose padding is NaN.
let C: i32 = 0;
let ld: i32 = 0;
let x: usize = 0;
let p: usize = 0;
let labels: usize = 0;
let order: usize = 0;
let predicted: usize = 0;
let loss: usize = 0;
let weights: usize = 0;
let smoothing: f32 = 0;

function makeCase(classes: i32, rowLength: i32, largest: f64, offset: f64): void {
  C = classes;
  ld = rowLength;
  begin(
    `C=${C.toString()} ld=${ld.toString()} logits ${offset.toString()} +- ${largest.toString()}`,
    C * 1009 + ld,
  );
  x = floats(BATCH * ld);
  for (let b = 0; b < BATCH; b++) fillUniform(x + ((<usize>b * ld) << 2), C, offset - largest, offset + largest);
  p = floats(BATCH * ld);
  labels = floats(SAMPLES);
  for (let i = 0; i < SAMPLES; i++) store<i32>(labels + (<usize>i << 2), randomBelow(C));
  order = shuffled(SAMPLES);
  predicted = floats(BATCH);
  loss = floats(BATCH);
  weights = floats(SAMPLES);
  fillUniform(weights, SAMPLES, 0, 3);
}

function label(b: i32): i32 {
  return load<i32>(labels + (load<u32>(order + (<usize>b << 2)) << 2));
}

function forward(from: i32, to: i32): void {
  softmaxForward(C, ld, x, p, labels, order, smoothing, predicted, loss, from, to);
}

/** The gradient of the mean over the batch, every sample counting alike. */
function backward(from: i32, to: i32): void {
  crossEntropyBackward(C, ld, p, labels, order, 0, <f32>1 / <f32>BATCH, smoothing, from, to);
}

/** Target of class c in row b. */
function target(b: i32, c: i32): f64 {
  return (c == label(b) ? 1.0 - <f64>smoothing : 0.0) + <f64>smoothing / C;
}

// The f64 twin of one row, and bounds on the f32 errors.

let logits: StaticArray<f64> = new StaticArray<f64>(0);
let probability: StaticArray<f64> = new StaticArray<f64>(0);
let probabilityError: StaticArray<f64> = new StaticArray<f64>(0);
/** ln of the sum of the exponentials, shifted by the largest logit; its f32 error. */
let logSum: f64 = 0;
let logSumError: f64 = 0;

/** Fills the above from `logits`: returns ln sum exp. */
function softmaxTwin(): f64 {
  let top = logits[0];
  for (let c = 1; c < C; c++) top = max(top, logits[c]);
  let sum: f64 = 0;
  let sumError: f64 = 0;
  for (let c = 0; c < C; c++) {
    const distance = top - logits[c];
    const e = Math.exp(-distance);
    // The difference is rounded before exp4 takes it.
    const error = e * (EPS * distance + TWO_ULP) + LEAST;
    probability[c] = e;
    probabilityError[c] = error;
    sum += e;
    sumError += error;
  }
  const relative = sumError / sum + accumulated(C + 2);
  for (let c = 0; c < C; c++) {
    probability[c] /= sum;
    probabilityError[c] = probabilityError[c] / sum + probability[c] * (relative + 2 * EPS) + LEAST;
  }
  logSum = Math.log(sum);
  logSumError = relative + TWO_ULP * logSum;
  return top + logSum;
}

function loadRow(b: i32): void {
  logits = new StaticArray<f64>(C);
  probability = new StaticArray<f64>(C);
  probabilityError = new StaticArray<f64>(C);
  for (let c = 0; c < C; c++) logits[c] = at(x, b * ld + c);
}

/** Probabilities, loss and prediction of every row, and then the gradient, against the twin. */
function expectRows(): void {
  const inputs = copied(x, BATCH * ld);
  forward(0, BATCH);
  const forwardP = copied(p, BATCH * ld);
  backward(0, BATCH);
  const gradient = copied(p, BATCH * ld);
  memory.copy(p, forwardP, (BATCH * ld) << 2);
  const inverse: f32 = 0.37;
  crossEntropyBackward(C, ld, p, labels, order, weights, inverse, smoothing, 0, BATCH);
  for (let b = 0; b < BATCH; b++) {
    loadRow(b);
    const logSumExp = softmaxTwin();
    let best = 0;
    let total: f64 = 0;
    for (let c = 0; c < C; c++) {
      if (logits[c] > logits[best]) best = c;
      total += at(forwardP, b * ld + c);
      expectNear(at(forwardP, b * ld + c), probability[c], probabilityError[c], 'p', b, c);
      const difference = probability[c] - target(b, c);
      // The two parts of the target, and the differences from them, are rounded.
      const error = probabilityError[c] + 4 * EPS * (Math.abs(difference) + <f64>smoothing);
      expectNear(at(gradient, b * ld + c), difference / BATCH, error / BATCH, 'dx', b, c);
      const factor = <f64>inverse * at(weights, load<u32>(order + (<usize>b << 2)));
      expectNear(at(p, b * ld + c), difference * factor, (error + 2 * EPS) * factor, 'weighted dx', b, c);
    }
    for (let c = C; c < ld; c++) {
      expectSame(at(forwardP, b * ld + c), 0, 'padding of p', b, c);
      expectSame(at(gradient, b * ld + c), 0, 'padding of dx', b, c);
      expectSame(at(p, b * ld + c), 0, 'padding of the weighted dx', b, c);
    }
    expectNear(total, 1, accumulated(C + 4), 'sum of p', b, 0);
    let expectedLoss = logSumExp;
    for (let c = 0; c < C; c++) expectedLoss -= target(b, c) * logits[c];
    // The shift of the label's logit and the final sum are rounded; so are the smoothed part's C terms of one sign.
    const roundings = smoothing == 0 ? 2 : C + 6;
    // Nothing of the logits' own size is: the twin's own sums are exact enough to say so.
    const twinError = 1e-15 * (Math.abs(logSumExp) + Math.abs(logits[0])) * C;
    const lossError = logSumError + accumulated(roundings) * (Math.abs(expectedLoss) + logSum) + twinError;
    expectNear(at(loss, b), expectedLoss, lossError, 'loss', b, label(b));
    expectThat(load<i32>(predicted + (<usize>b << 2)) == best, `row ${b.toString()} is predicted as another class`);
  }
  expectSameBytes(x, inputs, BATCH, ld, ld, 'the logits afterwards');
  expectGuards();
}

function checkClasses(largest: f64, offset: f64): void {
  for (let i = 0; i < CLASSES.length; i++) {
    makeCase(CLASSES[i], roundUp(CLASSES[i], 4), largest, offset);
    expectRows();
    makeCase(CLASSES[i], roundUp(CLASSES[i], 16), largest, offset);
    expectRows();
  }
}

describe('softmax, loss and gradient against f64: 2 ULP of exp4 and log4, and 2^-24 for each other rounding', () => {
  it('logits up to +-1', () => checkClasses(1, 0));
  it('logits up to +-10', () => checkClasses(10, 0));
  it('logits up to +-80, where probabilities reach the clamp of exp4', () => checkClasses(80, 0));
  it('logits of 10000 +- 5: the loss no worse for the offset', () => checkClasses(5, 10000));
  it('logits of -1000000 +- 5: the loss no worse for the offset', () => checkClasses(5, -1000000));

  it('label smoothing of 0.1 and of 1: loss and gradient of the smoothed targets', () => {
    for (let i = 0; i < 2; i++) {
      smoothing = i == 0 ? 0.1 : 1;
      checkClasses(1, 0);
      checkClasses(10, 0);
      checkClasses(5, 10000);
    }
    smoothing = 0;
  });

  it('without labels the same probabilities and predictions, and no loss (exact)', () => {
    for (let i = 0; i < CLASSES.length; i++) {
      makeCase(CLASSES[i], roundUp(CLASSES[i], 16), 5, 0);
      forward(0, BATCH);
      const probabilities = copied(p, BATCH * ld);
      const predictions = copied(predicted, BATCH);
      const fresh = floats(BATCH);
      memory.fill(p, 0xff, (BATCH * ld) << 2);
      memory.fill(predicted, 0xff, BATCH << 2);
      memory.fill(loss, 0xff, BATCH << 2);
      softmaxForward(C, ld, x, p, 0, 0, smoothing, predicted, loss, 0, BATCH);
      expectSameBytes(p, probabilities, BATCH, ld, ld, 'p');
      expectSameBytes(predicted, predictions, 1, BATCH, BATCH, 'predicted');
      expectSameBytes(loss, fresh, 1, BATCH, BATCH, 'loss');
      expectGuards();
    }
  });

  it('all logits equal, however large: p = 1 / C within 2^-23, loss ln C no worse for the logits', () => {
    const values: f32[] = [0, -3, 88, 1e30, -1e30];
    for (let i = 0; i < CLASSES.length; i++) {
      for (let v = 0; v < values.length; v++) {
        makeCase(CLASSES[i], roundUp(CLASSES[i], 16), 1, 0);
        for (let b = 0; b < BATCH; b++) {
          for (let c = 0; c < C; c++) put(x, b * ld + c, values[v]);
        }
        forward(0, BATCH);
        for (let b = 0; b < BATCH; b++) {
          for (let c = 0; c < C; c++) expectNear(at(p, b * ld + c), 1.0 / <f64>C, (2 * EPS) / C, 'p', b, c);
          expectNear(at(loss, b), Math.log(C), 2 * TWO_ULP * Math.log(C), 'loss', b, 0);
          expectThat(load<i32>(predicted + (<usize>b << 2)) == 0, 'of equal logits the first has to win');
        }
        expectGuards();
      }
    }
  });

  it('rows split in any way give the same bytes (exact)', () => {
    for (let cut = 0; cut <= BATCH; cut++) {
      makeCase(10, 16, 5, 0);
      forward(0, BATCH);
      const probabilities = copied(p, BATCH * ld);
      const predictions = copied(predicted, BATCH);
      const losses = copied(loss, BATCH);
      backward(0, BATCH);
      const gradients = copied(p, BATCH * ld);
      memory.fill(p, 0xff, (BATCH * ld) << 2);
      memory.fill(predicted, 0xff, BATCH << 2);
      memory.fill(loss, 0xff, BATCH << 2);
      forward(cut, BATCH);
      forward(0, cut);
      expectSameBytes(p, probabilities, BATCH, ld, ld, 'p');
      expectSameBytes(predicted, predictions, 1, BATCH, BATCH, 'predicted');
      expectSameBytes(loss, losses, 1, BATCH, BATCH, 'loss');
      backward(cut, BATCH);
      backward(0, cut);
      expectSameBytes(p, gradients, BATCH, ld, ld, 'dx');
      expectGuards();
    }
  });

  it('a NaN or infinite logit makes the loss of its own row not finite, and of no other', () => {
    const values: f32[] = [NaN, Infinity];
    for (let v = 0; v < values.length; v++) {
      makeCase(10, 16, 5, 0);
      put(x, 3 * ld + (label(3) == 6 ? 7 : 6), values[v]);
      forward(0, BATCH);
      for (let b = 0; b < BATCH; b++) {
        expectThat(isFinite(at(loss, b)) == (b != 3), `the loss of row ${b.toString()} is ${at(loss, b).toString()}`);
      }
      expectGuards();
    }
  });
});

/** The loss of row b's targets on `logits`. */
function twinLoss(b: i32): f64 {
  let sum = softmaxTwin();
  for (let c = 0; c < C; c++) sum -= target(b, c) * logits[c];
  return sum;
}

describe('the f64 twin', () => {
  it('has the gradient of its own loss, smoothed or not: central differences within 1e-8', () => {
    const h: f64 = 1e-5;
    for (let i = 0; i < 2 * CLASSES.length; i++) {
      smoothing = i < CLASSES.length ? 0 : 0.2;
      makeCase(CLASSES[i % CLASSES.length], 112, 3, 0);
      for (let b = 0; b < BATCH; b++) {
        loadRow(b);
        for (let c = 0; c < C; c++) {
          const value = logits[c];
          logits[c] = value + h;
          const above = twinLoss(b);
          logits[c] = value - h;
          const below = twinLoss(b);
          logits[c] = value;
          softmaxTwin();
          const gradient = probability[c] - target(b, c);
          expectNear((above - below) / (2 * h), gradient, 1e-8, 'dloss / dx', b, c);
        }
      }
    }
    smoothing = 0;
  });
});

describe('argmaxRow', () => {
  it('finds the largest wherever it is, the first of equals, and ignores padding (exact)', () => {
    for (let i = 0; i < CLASSES.length; i++) {
      makeCase(CLASSES[i], CLASSES[i] + 3, 1, -5);
      for (let c = C; c < ld; c++) put(x, c, 100);
      for (let first = 0; first < C; first++) {
        const row = copied(x, ld);
        put(row, first, 7);
        expectThat(argmaxRow(row, C) == first, `the only maximum at ${first.toString()} was missed`);
        for (let second = first + 1; second < C; second += 3) {
          put(row, second, 7);
          expectThat(argmaxRow(row, C) == first, `not the first of equals, ${first.toString()}`);
        }
      }
      expectGuards();
    }
  });
});
