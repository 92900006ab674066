/**
 * A clock that is paused while its process is suspended, in shared memory, so that all threads read the same time. Its
 * one element is, in microseconds, the sum of all pauses or, during a pause, the clock's time times -1.
 */
export type Clock = BigInt64Array;

/** A running clock. */
export function newClock(): Clock {
  return new BigInt64Array(new SharedArrayBuffer(8));
}

/** The clock's time in milliseconds, from an arbitrary start. */
export function timeOf(clock: Clock): number {
  return Number(microseconds(Atomics.load(clock, 0))) / 1000;
}

/** Pauses a running clock. */
export function haltClock(clock: Clock): void {
  Atomics.store(clock, 0, -microseconds(Atomics.load(clock, 0)));
}

/** Lets a paused clock go on. */
export function resumeClock(clock: Clock): void {
  Atomics.store(clock, 0, systemTime() - microseconds(Atomics.load(clock, 0)));
}

function microseconds(value: bigint): bigint {
  return value < 0n ? -value : systemTime() - value;
}

/** Monotonic time in microseconds, with about the same start in all threads. */
function systemTime(): bigint {
  return BigInt(Math.round((performance.timeOrigin + performance.now()) * 1000));
}
