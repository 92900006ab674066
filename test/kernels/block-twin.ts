import { LEAKY_RELU, RELU } from '../../assembly/nn/activation';
import { activationError, activationTwin, bend, derivativeError, derivativeTwin, steepness } from './activation-twin';
import { philoxTwin } from './philox-twin';
import { EPS, accumulated } from './support';

// Norm -> activation -> dropout of B samples by O features in f64, written from the formulas at the heads of nn/norm.ts
// and nn/block.ts, with a bound on the error that f32 may make in each result. The bounds keep the terms of first order
// in EPS; SLACK covers the others.

export const NO_NORM: i32 = 0;
export const BATCH_NORM: i32 = 1;
/** BatchNorm by its running statistics. */
export const FROZEN_NORM: i32 = 2;
export const NORMS: string[] = ['no norm', 'BatchNorm', 'frozen BatchNorm'];

const SLACK: f64 = 1.01;

/** Bits of a dropout layer's fourth counter word: the stream of dropout, and the layer. */
const DROPOUT: u32 = 1 << 16;

/**
 * The 16 bits that decide whether element (b, o) is kept: it is if they are below the threshold. Block (b, o / 8,
 * step, layer) has two bytes a feature, low half of the word first.
 */
export function drawn(b: i32, o: i32, step: u32, layer: u32, key0: u32, key1: u32): i32 {
  const block = philoxTwin(b, o >> 3, step, DROPOUT | layer, key0, key1);
  const word = block[(o & 7) >> 1];
  return (o & 1) == 0 ? word & 0xffff : word >> 16;
}

export class BlockTwin {
  // Set by the spec before forward: (B, O) where z, kept, y, out and dz are matrices, (O) otherwise.
  z: StaticArray<f64>;
  gamma: StaticArray<f64>;
  beta: StaticArray<f64>;
  runningMean: StaticArray<f64>;
  runningVar: StaticArray<f64>;
  kept: StaticArray<bool>;
  epsilon: f64 = 1e-5;
  slope: f64 = 0;
  keepScale: f64 = 1;

  // Set by forward.
  mean: StaticArray<f64>;
  variance: StaticArray<f64>;
  rstd: StaticArray<f64>;
  /** Before the activation. */
  y: StaticArray<f64>;
  out: StaticArray<f64>;
  /** Whether y is positive. The spec may overrule it where f32 may see the other sign of y. */
  positive: StaticArray<bool>;

  // Bounds on the f32 errors of the above; that of rstd is relative.
  meanError: StaticArray<f64>;
  varianceError: StaticArray<f64>;
  rstdError: StaticArray<f64>;
  yError: StaticArray<f64>;

  // Set by backward, with bounds on their f32 errors. Without a norm dbeta is the bias gradient.
  dz: StaticArray<f64>;
  dgamma: StaticArray<f64>;
  dbeta: StaticArray<f64>;
  dzError: StaticArray<f64>;
  dgammaError: StaticArray<f64>;
  dbetaError: StaticArray<f64>;

  constructor(
    public B: i32,
    public O: i32,
    public kind: i32,
    public norm: i32,
  ) {
    const size = B * O;
    this.z = new StaticArray<f64>(size);
    this.kept = new StaticArray<bool>(size);
    this.y = new StaticArray<f64>(size);
    this.out = new StaticArray<f64>(size);
    this.positive = new StaticArray<bool>(size);
    this.yError = new StaticArray<f64>(size);
    this.dz = new StaticArray<f64>(size);
    this.dzError = new StaticArray<f64>(size);
    this.gamma = new StaticArray<f64>(O);
    this.beta = new StaticArray<f64>(O);
    this.runningMean = new StaticArray<f64>(O);
    this.runningVar = new StaticArray<f64>(O);
    this.mean = new StaticArray<f64>(O);
    this.variance = new StaticArray<f64>(O);
    this.rstd = new StaticArray<f64>(O);
    this.meanError = new StaticArray<f64>(O);
    this.varianceError = new StaticArray<f64>(O);
    this.rstdError = new StaticArray<f64>(O);
    this.dgamma = new StaticArray<f64>(O);
    this.dbeta = new StaticArray<f64>(O);
    this.dgammaError = new StaticArray<f64>(O);
    this.dbetaError = new StaticArray<f64>(O);
  }

  forward(): void {
    for (let o = 0; o < this.O; o++) {
      if (this.norm != NO_NORM) this.findStatistics(o);
      for (let b = 0; b < this.B; b++) this.activate(b, o);
    }
  }

  /** Mean, variance and rstd of one feature: the batch's, or the running ones. */
  private findStatistics(o: i32): void {
    const B = this.B;
    if (this.norm == FROZEN_NORM) {
      this.mean[o] = this.runningMean[o];
      this.variance[o] = this.runningVar[o];
    } else {
      let sum: f64 = 0;
      let size: f64 = 0;
      for (let b = 0; b < B; b++) {
        sum += this.z[b * this.O + o];
        size += Math.abs(this.z[b * this.O + o]);
      }
      const mean = sum / B;
      let squares: f64 = 0;
      for (let b = 0; b < B; b++) squares += Math.pow(this.z[b * this.O + o] - mean, 2);
      const variance = squares / B;
      // B - 1 additions, 1 / B and the product with it; the squares' sum is least at the true mean.
      const meanError = SLACK * accumulated(B + 1) * (size / B);
      this.mean[o] = mean;
      this.variance[o] = variance;
      this.meanError[o] = meanError;
      this.varianceError[o] = SLACK * (accumulated(B + 5) * variance + meanError * meanError);
    }
    const shifted = this.variance[o] + this.epsilon;
    this.rstd[o] = 1.0 / Math.sqrt(shifted);
    this.rstdError[o] = SLACK * ((0.5 * this.varianceError[o]) / shifted + 4 * EPS);
  }

  /** y and out of one element, from its feature's mean and rstd. */
  private activate(b: i32, o: i32): void {
    const i = b * this.O + o;
    let y = this.z[i];
    if (this.norm != NO_NORM) {
      const centred = this.z[i] - this.mean[o];
      const slope = this.gamma[o] * this.rstd[o];
      const centredError = this.meanError[o] + EPS * Math.abs(centred);
      y = slope * centred + this.beta[o];
      this.yError[i] =
        SLACK *
        (Math.abs(slope) * (centredError + Math.abs(centred) * (this.rstdError[o] + 2 * EPS)) + EPS * Math.abs(y));
    }
    this.y[i] = y;
    this.positive[i] = y > 0;
    this.out[i] = this.kept[i] ? activationTwin(this.kind, this.slope, y) * this.keepScale : 0;
  }

  /** Error of out at element i: that of y through the activation, the activation's own, and that of the scaling. */
  outError(i: i32): f64 {
    const y = this.y[i];
    const carried = steepness(this.kind) * this.yError[i] + activationError(this.kind, this.slope, y);
    return SLACK * (this.keepScale * carried + 2 * EPS * Math.abs(this.out[i]));
  }

  /** f'(y) of element i, where f has a corner at 0 on the side that `positive` says. */
  private derivative(i: i32): f64 {
    if (this.kind == RELU) return this.positive[i] ? 1 : 0;
    if (this.kind == LEAKY_RELU) return this.positive[i] ? 1 : this.slope;
    return derivativeTwin(this.kind, this.slope, this.y[i]);
  }

  /** By the chain rule, from the derivatives of mean and variance with respect to each z. */
  backward(dout: StaticArray<f64>): void {
    const B = this.B;
    const dys = new StaticArray<f64>(B);
    const dyErrors = new StaticArray<f64>(B);
    for (let o = 0; o < this.O; o++) {
      for (let b = 0; b < B; b++) {
        const i = b * this.O + o;
        const entering = this.kept[i] ? dout[i] * this.keepScale : 0;
        dys[b] = entering * this.derivative(i);
        const slopeError = bend(this.kind) * this.yError[i] + derivativeError(this.kind);
        dyErrors[b] = SLACK * (Math.abs(entering) * slopeError + 2 * EPS * Math.abs(dys[b]));
      }
      this.passNorm(o, dys, dyErrors);
    }
  }

  /** dz, dgamma and dbeta of one feature from its dy. */
  private passNorm(o: i32, dys: StaticArray<f64>, dyErrors: StaticArray<f64>): void {
    const B = this.B;
    const rstd = this.rstd[o];
    let sum: f64 = 0;
    let dot: f64 = 0;
    let sumSize: f64 = 0;
    let dotSize: f64 = 0;
    let sumCarried: f64 = 0;
    let dotCarried: f64 = 0;
    for (let b = 0; b < B; b++) {
      const xhat = (this.z[b * this.O + o] - this.mean[o]) * rstd;
      sum += dys[b];
      dot += dys[b] * xhat;
      sumSize += Math.abs(dys[b]);
      dotSize += Math.abs(dys[b] * xhat);
      sumCarried += dyErrors[b];
      dotCarried += dyErrors[b] * Math.abs(xhat);
    }
    const meanShift = rstd * this.meanError[o];
    const sumError = SLACK * (accumulated(B + 1) * sumSize + sumCarried);
    const dotError = SLACK * ((accumulated(B + 4) + this.rstdError[o]) * dotSize + meanShift * sumSize + dotCarried);
    this.dbeta[o] = sum;
    this.dbetaError[o] = sumError;
    this.dgamma[o] = dot;
    this.dgammaError[o] = dotError;

    if (this.norm == NO_NORM) {
      for (let b = 0; b < B; b++) {
        this.dz[b * this.O + o] = dys[b];
        this.dzError[b * this.O + o] = dyErrors[b];
      }
      return;
    }
    const frozen = this.norm == FROZEN_NORM;
    const scale = Math.abs(this.gamma[o]) * rstd;
    // z reaches the loss directly and, where the norm is not frozen, through the variance and through the mean.
    const dvariance = frozen ? 0.0 : -0.5 * this.gamma[o] * dot * rstd * rstd;
    const dmean = frozen ? 0.0 : -this.gamma[o] * rstd * sum;
    for (let b = 0; b < B; b++) {
      const i = b * this.O + o;
      const centred = this.z[i] - this.mean[o];
      this.dz[i] = this.gamma[o] * rstd * dys[b] + (dvariance * 2 * centred) / B + dmean / B;
      const xhat = Math.abs(centred * rstd);
      let terms = Math.abs(dys[b]);
      let inner = dyErrors[b];
      if (!frozen) {
        terms += Math.abs(sum) / B + (xhat * Math.abs(dot)) / B;
        inner += (sumError + xhat * dotError + Math.abs(dot) * (meanShift + xhat * this.rstdError[o])) / B;
      }
      this.dzError[i] = SLACK * scale * (inner + (this.rstdError[o] + 10 * EPS) * terms);
    }
  }
}
