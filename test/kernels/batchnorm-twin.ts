import { philoxTwin } from './philox-twin';
import { EPS, accumulated } from './support';

// BatchNorm -> ReLU -> Dropout of B samples by O features in f64, written from the formulas at the head of
// nn/batchnorm.ts, with a bound on the error that f32 may make in each result. The bounds keep the terms of first
// order in EPS; SLACK covers the others.

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

export class BatchNormTwin {
  // Set by the spec before forward: (B, O) where z, out, kept and d are matrices, (O) otherwise.
  z: StaticArray<f64>;
  gamma: StaticArray<f64>;
  beta: StaticArray<f64>;
  kept: StaticArray<bool>;
  epsilon: f64 = 1e-5;
  keepScale: f64 = 1;

  // Set by forward.
  mean: StaticArray<f64>;
  variance: StaticArray<f64>;
  rstd: StaticArray<f64>;
  /** Before ReLU. */
  y: StaticArray<f64>;
  out: StaticArray<f64>;
  /** Kept and positive. The spec may overrule it where f32 may see the other sign of y. */
  active: StaticArray<bool>;

  // Bounds on the f32 errors of the above; that of rstd is relative.
  meanError: StaticArray<f64>;
  varianceError: StaticArray<f64>;
  rstdError: StaticArray<f64>;
  yError: StaticArray<f64>;

  // Set by backward, with bounds on their f32 errors.
  dz: StaticArray<f64>;
  dgamma: StaticArray<f64>;
  dbeta: StaticArray<f64>;
  dzError: StaticArray<f64>;
  dgammaError: StaticArray<f64>;
  dbetaError: StaticArray<f64>;

  constructor(
    public B: i32,
    public O: i32,
  ) {
    const size = B * O;
    this.z = new StaticArray<f64>(size);
    this.kept = new StaticArray<bool>(size);
    this.y = new StaticArray<f64>(size);
    this.out = new StaticArray<f64>(size);
    this.active = new StaticArray<bool>(size);
    this.yError = new StaticArray<f64>(size);
    this.dz = new StaticArray<f64>(size);
    this.dzError = new StaticArray<f64>(size);
    this.gamma = new StaticArray<f64>(O);
    this.beta = new StaticArray<f64>(O);
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
    const B = this.B;
    for (let o = 0; o < this.O; o++) {
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
      const rstd = 1.0 / Math.sqrt(variance + this.epsilon);
      // B - 1 additions, 1 / B and the product with it; the squares' sum is least at the true mean.
      const meanError = SLACK * accumulated(B + 1) * (size / B);
      const varianceError = SLACK * (accumulated(B + 5) * variance + meanError * meanError);
      this.mean[o] = mean;
      this.variance[o] = variance;
      this.rstd[o] = rstd;
      this.meanError[o] = meanError;
      this.varianceError[o] = varianceError;
      this.rstdError[o] = SLACK * ((0.5 * varianceError) / (variance + this.epsilon) + 4 * EPS);
      for (let b = 0; b < B; b++) this.activate(b, o);
    }
  }

  /** y, out and active of one element, from its feature's mean and rstd. */
  private activate(b: i32, o: i32): void {
    const i = b * this.O + o;
    const centred = this.z[i] - this.mean[o];
    const slope = this.gamma[o] * this.rstd[o];
    const y = slope * centred + this.beta[o];
    this.y[i] = y;
    this.active[i] = this.kept[i] && y > 0;
    this.out[i] = this.active[i] ? y * this.keepScale : 0;
    const centredError = this.meanError[o] + EPS * Math.abs(centred);
    this.yError[i] =
      SLACK *
      (Math.abs(slope) * (centredError + Math.abs(centred) * (this.rstdError[o] + 2 * EPS)) + EPS * Math.abs(y));
  }

  /** Error of out at element i: that of y, which ReLU does not enlarge, and the product with keepScale. */
  outError(i: i32): f64 {
    return this.keepScale * (this.yError[i] + 2 * EPS * Math.abs(this.y[i]));
  }

  /** The gradient at element i once it has passed dropout and ReLU. */
  private dy(dout: StaticArray<f64>, i: i32): f64 {
    return this.active[i] ? dout[i] * this.keepScale : 0;
  }

  /** By the chain rule, from the derivatives of mean and variance with respect to each z. */
  backward(dout: StaticArray<f64>): void {
    const B = this.B;
    for (let o = 0; o < this.O; o++) {
      const rstd = this.rstd[o];
      let sum: f64 = 0;
      let dot: f64 = 0;
      let sumSize: f64 = 0;
      let dotSize: f64 = 0;
      for (let b = 0; b < B; b++) {
        const dy = this.dy(dout, b * this.O + o);
        const xhat = (this.z[b * this.O + o] - this.mean[o]) * rstd;
        sum += dy;
        dot += dy * xhat;
        sumSize += Math.abs(dy);
        dotSize += Math.abs(dy * xhat);
      }
      const meanShift = rstd * this.meanError[o];
      const sumError = SLACK * accumulated(B + 1) * sumSize;
      const dotError = SLACK * ((accumulated(B + 4) + this.rstdError[o]) * dotSize + meanShift * sumSize);
      this.dbeta[o] = sum;
      this.dgamma[o] = dot;
      this.dbetaError[o] = sumError;
      this.dgammaError[o] = dotError;

      // z reaches the loss directly, through the variance and through the mean.
      const dvariance = -0.5 * this.gamma[o] * dot * rstd * rstd;
      const dmean = -this.gamma[o] * rstd * sum;
      for (let b = 0; b < B; b++) {
        const i = b * this.O + o;
        const centred = this.z[i] - this.mean[o];
        const dy = this.dy(dout, i);
        this.dz[i] = this.gamma[o] * rstd * dy + (dvariance * 2 * centred) / B + dmean / B;
        const xhat = Math.abs(centred * rstd);
        const terms = Math.abs(dy) + Math.abs(sum) / B + (xhat * Math.abs(dot)) / B;
        const inner =
          sumError / B +
          (xhat * dotError + Math.abs(dot) * (meanShift + xhat * this.rstdError[o])) / B +
          8 * EPS * terms;
        this.dzError[i] =
          SLACK * (Math.abs(this.gamma[o]) * rstd * (inner + (this.rstdError[o] + 2 * EPS) * terms));
      }
    }
  }
}
