import type { Halving } from './grid.js';

/** How much fewer candidates go on after each rung, by default. */
const FACTOR = 3;

/** One stage of a search: every candidate that is left trains up to so many epochs of its own. */
export interface Rung {
  /** Infinity for all that a candidate has. */
  readonly epochs: number;
  /** Candidates that go on after it. */
  readonly kept: number;
}

/**
 * The rungs of a search (successive halving: Jamieson and Talwalkar, 2016): after each the best one in `factor` goes on, with
 * `factor` times the epochs. Without a first number of epochs the last rung is for one in `factor` to the number of rungs, as
 * few as there are candidates for. Without halving there is one rung.
 */
export function rungsOf(halving: boolean | Halving | undefined, candidates: number, most: number): Rung[] {
  const last: Rung = { epochs: Number.POSITIVE_INFINITY, kept: 1 };
  if (halving === undefined || halving === false) return [last];
  const { factor = FACTOR, first } = halving === true ? {} : halving;
  const rungs: Rung[] = [];
  let left = candidates;
  let epochs = first ?? defaultFirst(factor, candidates, most);
  while (left > 1 && epochs < most) {
    left = Math.ceil(left / factor);
    rungs.push({ epochs, kept: left });
    epochs *= factor;
  }
  return [...rungs, last];
}

function defaultFirst(factor: number, candidates: number, most: number): number {
  let [left, epochs] = [candidates, most];
  while (left >= factor && epochs >= factor) {
    left /= factor;
    epochs /= factor;
  }
  return Math.ceil(epochs);
}
