import { shareStart } from './range';

// A matrix that is written by several threads is cut along its columns, so that every thread reads its own part of B,
// or along its rows where there are too few columns to share evenly, unless there are fewer rows still than threads.

/** Units of columns for each thread from which on a product's columns are split: shares differ by an eighth at most. */
export const LEAST_UNITS: i32 = 8;

/** Whether the `units` of columns are split between the threads, `least` for each at least; else the `rows` are. */
// @ts-ignore: decorator
@inline
export function splitsColumns(units: i32, least: i32, rows: i32, threads: i32): bool {
  return units >= least * threads || (rows < threads && rows < units);
}

/** First of a thread's units in a dimension: of its share where it is split, of all of them where not. */
// @ts-ignore: decorator
@inline
export function firstUnit(split: bool, units: i32, thread: i32, threads: i32): i32 {
  return split ? shareStart(units, thread, threads) : 0;
}

/** The unit after a thread's last. */
// @ts-ignore: decorator
@inline
export function endUnit(split: bool, units: i32, thread: i32, threads: i32): i32 {
  return split ? shareStart(units, thread + 1, threads) : units;
}
