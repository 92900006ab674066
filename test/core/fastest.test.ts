import { describe, expect, it } from 'vitest';
import { fastest, grainOf } from '../../dist/bindings/open/fastest.js';

/** A clock that only what is run and reading it advance, seen in steps of `grain` milliseconds. */
function clockOf(grain: number) {
  let time = 0.123;
  return {
    read: () => {
      time += 0.00005;
      return Math.floor(time / grain) * grain;
    },
    /** Runs that take so many milliseconds. */
    runOf: (milliseconds: number) => () => {
      time += milliseconds;
    },
  };
}

describe.each([0.001, 0.1, 1])('with a clock whose grain is %f ms', (grain) => {
  it('finds the grain', () => {
    expect(grainOf(clockOf(grain).read)).toBeCloseTo(grain, 6);
  });

  it.each([
    { times: [0.06, 0.05, 0.07], best: 1 },
    { times: [0.05, 0.06, 0.07], best: 0 },
    { times: [0.031, 0.029, 0.025], best: 2 },
    { times: [2.5, 3, 2], best: 2 },
  ])('finds the fastest of $times ms', async ({ times, best }) => {
    for (const usual of [0, 1, 2]) {
      const clock = clockOf(grain);
      expect(await fastest(times.map(clock.runOf), usual, clock.read)).toBe(best);
    }
  });

  it('keeps the usual one where no other is faster by more than a measurement is off by', async () => {
    for (const usual of [0, 1, 2]) {
      const clock = clockOf(grain);
      expect(await fastest([0.05, 0.0495, 0.0505].map(clock.runOf), usual, clock.read)).toBe(usual);
    }
  });
});

it('does not wait for ever for a clock that stands still', async () => {
  let runs = 0;
  const run = () => {
    runs++;
  };
  // It advances once for each thousand runs, and never by itself.
  expect(await fastest([run, run], 1, () => Math.floor(runs / 1000))).toBe(1);
});

it('lets others have the thread between measurements', async () => {
  const clock = clockOf(0.1);
  let pauses = 0;
  const pause = async () => {
    pauses++;
  };
  await fastest([0.05, 0.06].map(clock.runOf), 0, clock.read, pause);
  expect(pauses).toBeGreaterThanOrEqual(4);
});
