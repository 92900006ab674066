/**
 * A clock that stands still while its process is stopped, in shared memory, so that all threads read the same. Its only
 * value is, in microseconds, how long it has stood still in all; or, while it stands, its own time times -1.
 */
export type Clock = BigInt64Array;

/** A clock that goes. */
export function newClock(): Clock {
  return new BigInt64Array(new SharedArrayBuffer(8));
}

/** The clock's time in milliseconds, from any beginning. */
export function timeOf(clock: Clock): number {
  return Number(microseconds(Atomics.load(clock, 0))) / 1000;
}

/** Lets the clock stand. */
export function haltClock(clock: Clock): void {
  Atomics.store(clock, 0, -microseconds(Atomics.load(clock, 0)));
}

/** Lets a clock that stands go on from there. */
export function resumeClock(clock: Clock): void {
  Atomics.store(clock, 0, systemTime() - microseconds(Atomics.load(clock, 0)));
}

function microseconds(value: bigint): bigint {
  return value < 0n ? -value : systemTime() - value;
}

/** A time that only goes forward, with about the same beginning in all threads. */
function systemTime(): bigint {
  return BigInt(Math.round((performance.timeOrigin + performance.now()) * 1000));
}
