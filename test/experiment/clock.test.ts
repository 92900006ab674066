import { describe, expect, it } from 'vitest';
import { haltClock, newClock, resumeClock, timeOf } from '../../dist/experiment/clock.js';

/** Lets some time pass on the system's clock. */
function pass(): void {
  const end = performance.now() + 20;
  while (performance.now() < end);
}

describe('a clock', () => {
  it('stands still from a halt until it is resumed, for every thread, and never goes back', () => {
    const clock = newClock();
    expect(clock.buffer).toBeInstanceOf(SharedArrayBuffer);
    const before = timeOf(clock);
    pass();
    haltClock(clock);
    const halted = timeOf(clock);
    expect(halted).toBeGreaterThan(before);
    pass();
    expect(timeOf(clock)).toBe(halted);
    resumeClock(clock);
    const [resumed, reference] = [timeOf(clock), newClock()];
    expect(resumed).toBeGreaterThanOrEqual(halted);
    // It is behind one that has not stood still.
    expect(timeOf(clock)).toBeLessThan(timeOf(reference) - 19);
    pass();
    expect(timeOf(clock)).toBeGreaterThan(resumed);
  });
});
