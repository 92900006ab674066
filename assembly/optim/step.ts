import { adam } from './adam';
import { MOMENTUM, NESTEROV, PLAIN, sgd } from './sgd';

// Which optimiser steps. The kinds are also the host's (bindings/model/optimizers.ts).

export const ADAM: i32 = 0;
export const ADAM_DECAY: i32 = 1;
export const SGD: i32 = 2;
export const SGD_MOMENTUM: i32 = 3;
export const SGD_NESTEROV: i32 = 4;
/** No step: the gradient is copied to m, where all gradients are kept. */
export const STORE: i32 = 5;

/** Vectors of one step's factors, the most that any kind has. */
export const FACTOR_VECTORS: i32 = 9;

/**
 * One step of `count` parameters (a multiple of 8) of a kind.
 * w, m, v  (count) f32, updated in place; m and v are read by the kinds that have them only
 * g        (count) f32 gradients
 */
// @ts-ignore: decorator
@inline
export function step(kind: i32, count: i32, w: usize, g: usize, m: usize, v: usize, factors: usize): void {
  // The usual optimiser is part of the loop that works out its gradients; the others are called.
  if (kind == ADAM) adam(false, count, w, g, m, v, factors);
  else otherStep(kind, count, w, g, m, v, factors);
}

function otherStep(kind: i32, count: i32, w: usize, g: usize, m: usize, v: usize, factors: usize): void {
  if (kind == ADAM_DECAY) adam(true, count, w, g, m, v, factors);
  else if (kind == SGD) sgd(PLAIN, count, w, g, m, factors);
  else if (kind == SGD_MOMENTUM) sgd(MOMENTUM, count, w, g, m, factors);
  else if (kind == SGD_NESTEROV) sgd(NESTEROV, count, w, g, m, factors);
  else memory.copy(m, g, <usize>count << 2);
}
