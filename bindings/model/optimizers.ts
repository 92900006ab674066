import { expectBoolean, expectKeys, expectNumber, expectOneOf } from '../errors/checks.js';

/** How gradients become steps. The rate is given with each step. Options that are left out have PyTorch's defaults. */
export type Optimizer =
  /** Kingma and Ba, 2015. `l2` adds l2 w to the gradients of weights. */
  | {
      readonly type: 'adam';
      readonly beta1?: number;
      readonly beta2?: number;
      readonly epsilon?: number;
      readonly l2?: number;
    }
  /** Adam whose weights first shrink by rate x weightDecay (Loshchilov and Hutter, 2019). */
  | {
      readonly type: 'adamW';
      readonly beta1?: number;
      readonly beta2?: number;
      readonly epsilon?: number;
      readonly weightDecay?: number;
    }
  /** Stochastic gradient descent, with momentum (Polyak, 1964) or Nesterov's. */
  | { readonly type: 'sgd'; readonly momentum?: number; readonly nesterov?: boolean; readonly l2?: number };

export type OptimizerName = Optimizer['type'];

export const ADAM_BETA1 = 0.9;
export const ADAM_BETA2 = 0.999;
export const ADAM_EPSILON = 1e-8;
export const ADAMW_DECAY = 0.01;

/** The core's kinds of steps, in the numbers of assembly/optim/step.ts. */
export const STEP_KINDS = {
  adam: 0,
  adamDecay: 1,
  sgd: 2,
  sgdMomentum: 3,
  sgdNesterov: 4,
  store: 5,
} as const;

/** How an optimiser steps. Plain functions of its options, the number of the step and the rate. */
export interface OptimizerRule {
  /** Values kept for each parameter. */
  readonly slots: 0 | 1 | 2;
  /** One of STEP_KINDS. */
  readonly kind: number;
  /**
   * The factors of step `step` (from 1), in the order of assembly/optim; `decays` for weights, false for biases and norm
   * parameters, which are never decayed.
   */
  factors(step: number, rate: number, decays: boolean): number[];
}

/** An optimiser's rule. Each call of `factors` is for the step after the last one or for any other; both give the same. */
export function optimizerRule(optimizer: Optimizer): OptimizerRule {
  if (optimizer.type === 'sgd') {
    const { momentum = 0, nesterov = false, l2 = 0 } = optimizer;
    const kind = momentum === 0 ? STEP_KINDS.sgd : nesterov ? STEP_KINDS.sgdNesterov : STEP_KINDS.sgdMomentum;
    return {
      slots: momentum === 0 ? 0 : 1,
      kind,
      factors: (_, rate, decays) => [-rate, momentum, decays ? l2 : 0],
    };
  }
  const { beta1 = ADAM_BETA1, beta2 = ADAM_BETA2, epsilon = ADAM_EPSILON } = optimizer;
  const l2 = optimizer.type === 'adam' ? (optimizer.l2 ?? 0) : 0;
  const weightDecay = optimizer.type === 'adamW' ? (optimizer.weightDecay ?? ADAMW_DECAY) : 0;
  const power1 = runningPower(beta1);
  const power2 = runningPower(beta2);
  return {
    slots: 2,
    kind: l2 === 0 && weightDecay === 0 ? STEP_KINDS.adam : STEP_KINDS.adamDecay,
    factors: (step, rate, decays) => {
      const stepSize = rate / (1 - power1(step));
      const rootCorrection = Math.sqrt(1 - power2(step));
      const adam = [beta1, 1 - beta1, beta2, 1 - beta2, epsilon, -stepSize, 1 / rootCorrection];
      return [...adam, decays ? 1 - rate * weightDecay : 1, decays ? l2 : 0];
    },
  };
}

/**
 * beta^step as a running product, so that a training that goes on gives the bits of one that was never stopped. Once it
 * has underflowed it stays zero.
 */
function runningPower(beta: number): (step: number) => number {
  let at = 0;
  let power = 1;
  return (step) => {
    if (step < at) {
      at = 0;
      power = 1;
    }
    for (; at < step && power > 0; at++) power *= beta;
    at = step;
    return power;
  };
}

/** Throws `usage` or `range` for what is no optimiser. */
export function checkOptimizer(optimizer: unknown): asserts optimizer is Optimizer {
  expectKeys('optimizer', optimizer, [
    'type',
    'beta1',
    'beta2',
    'epsilon',
    'l2',
    'weightDecay',
    'momentum',
    'nesterov',
  ]);
  const { type } = optimizer as Optimizer;
  expectOneOf('optimizer.type', type, ['adam', 'adamW', 'sgd'] as const);
  const own =
    type === 'sgd'
      ? ['momentum', 'nesterov', 'l2']
      : ['beta1', 'beta2', 'epsilon', type === 'adam' ? 'l2' : 'weightDecay'];
  expectKeys('optimizer', optimizer, ['type', ...own]);
  for (const [name, value] of Object.entries(optimizer)) {
    if (name === 'type' || value === undefined) continue;
    const subject = `optimizer.${name}`;
    if (name === 'nesterov') expectBoolean(subject, value);
    else if (name === 'epsilon') expectNumber(subject, value, 'a number above 0', (number) => number > 0);
    else if (name === 'l2' || name === 'weightDecay')
      expectNumber(subject, value, 'a number from 0 up', (number) => number >= 0);
    else expectNumber(subject, value, 'a number from 0 to below 1', (number) => number >= 0 && number < 1);
  }
}
