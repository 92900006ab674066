import { FACTOR_VECTORS } from '../../assembly/optim/step';
import { allocate, at, begin, expectNear, fillUniform, floats, put, zeroed } from './support';

// Parameters with their moments and gradients, and one step's factors as the host writes them.

export let w: usize = 0;
export let g: usize = 0;
export let m: usize = 0;
export let v: usize = 0;
export let factors: usize = 0;

/** `count` random parameters, with moments of zero and the gradient yet to be set. */
export function makeParameters(name: string, count: i32): void {
  begin(name, count);
  w = floats(count);
  g = floats(count);
  m = zeroed(count);
  v = zeroed(count);
  factors = allocate(<usize>FACTOR_VECTORS * 16);
  fillUniform(w, count, -1, 1);
}

/** Factor `index` of a step, in each lane of its vector, rounded once. */
export function putFactor(factors: usize, index: i32, value: f64): void {
  for (let lane = 0; lane < 4; lane++) put(factors, 4 * index + lane, <f32>value);
}

/** Adam's factors of step t (from 1), the corrections worked out in f64. */
export function putAdamFactors(
  factors: usize, t: i32, rate: f64, beta1: f64, beta2: f64, epsilon: f64, decay: f64, l2: f64,
): void {
  putFactor(factors, 0, beta1);
  putFactor(factors, 1, 1 - beta1);
  putFactor(factors, 2, beta2);
  putFactor(factors, 3, 1 - beta2);
  putFactor(factors, 4, epsilon);
  putFactor(factors, 5, -rate / (1 - Math.pow(beta1, t)));
  putFactor(factors, 6, 1 / Math.sqrt(1 - Math.pow(beta2, t)));
  putFactor(factors, 7, 1 - rate * decay);
  putFactor(factors, 8, l2);
}

/** The factors of stochastic gradient descent. */
export function putSgdFactors(factors: usize, rate: f64, momentum: f64, l2: f64): void {
  putFactor(factors, 0, -rate);
  putFactor(factors, 1, momentum);
  putFactor(factors, 2, l2);
}

/** The first eight parameters become `value`. */
export function setAll(p: usize, value: f32): void {
  for (let i = 0; i < 8; i++) put(p, i, value);
}

/** The first eight have to be `value`. */
export function expectAll(p: usize, value: f64, tolerance: f64, name: string): void {
  for (let i = 0; i < 8; i++) expectNear(at(p, i), value, tolerance, name, i, 0);
}

/** Parameters, or moments, in f64 beside a bound on the error of their f32. */
export class Tracked {
  values: StaticArray<f64>;
  errors: StaticArray<f64>;

  constructor(public count: i32) {
    this.values = new StaticArray<f64>(count);
    this.errors = new StaticArray<f64>(count);
  }

  /** Takes the values of p as they are. */
  take(p: usize): void {
    for (let i = 0; i < this.count; i++) this.values[i] = at(p, i);
  }

  /** Each element of p has to be within its bound, but for what is not of first order. */
  expect(p: usize, name: string, t: i32): void {
    for (let i = 0; i < this.count; i++) {
      expectNear(at(p, i), this.values[i], 1.01 * this.errors[i], `${name} at step ${t.toString()}`, i, 0);
    }
  }
}
