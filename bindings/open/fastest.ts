/** Milliseconds from any moment on. A browser's may advance by a tenth of one at a time, or by a whole one. */
export type Clock = () => number;

/** A measurement takes at least this long, in milliseconds, and so many grains of the clock. */
const LEAST_TIME = 0.4;
const LEAST_GRAINS = 20;

/** Times that each candidate is measured, as many as take no longer than the budget, in milliseconds. */
const MOST_ROUNDS = 9;
const FEWEST_ROUNDS = 2;
const BUDGET = 60;

/** What a candidate must gain over the usual one to be taken: more than a measurement is off by. */
const LEAST_GAIN = 0.03;

/** Changes of the clock that its grain is the smallest of, and the most readings that they are waited for. */
const CHANGES = 4;
const MOST_READINGS = 1_000_000;

/** Lets others have the thread between two measurements. */
export type Pause = () => void | Promise<void>;

/**
 * Index of the candidate whose run takes least time, or `usual` where none is clearly faster. Measurements begin and end
 * when the clock changes, so that its grain does not matter; `pause` is called between them.
 */
export async function fastest(
  runs: readonly (() => void)[],
  usual: number,
  clock: Clock,
  pause: Pause = () => {},
): Promise<number> {
  const grain = grainOf(clock);
  const time = Math.max(LEAST_TIME, LEAST_GRAINS * grain);
  const affordable = Math.floor(BUDGET / (time * runs.length));
  const rounds = Math.min(MOST_ROUNDS, Math.max(FEWEST_ROUNDS, affordable));
  const least = runs.map(() => Number.POSITIVE_INFINITY);
  for (let round = 0; round < rounds; round++) {
    for (const [index, run] of runs.entries()) {
      least[index] = Math.min(least[index]!, timeOf(run, time, clock));
      await pause();
    }
  }
  const best = least.indexOf(Math.min(...least));
  return least[best]! < least[usual]! * (1 - LEAST_GAIN) ? best : usual;
}

/** Whether the clock goes on while code runs: some servers let it stand still, so that nothing can be measured by it. */
export function advances(clock: Clock): boolean {
  const begin = clock();
  for (let reading = 0; reading < MOST_READINGS; reading++) if (clock() !== begin) return true;
  return false;
}

/** The smallest step that the clock makes. */
export function grainOf(clock: Clock): number {
  let grain = Number.POSITIVE_INFINITY;
  let last = clock();
  let changes = 0;
  for (let reading = 0; reading < MOST_READINGS && changes < CHANGES; reading++) {
    const now = clock();
    if (now === last) continue;
    grain = Math.min(grain, now - last);
    last = now;
    changes++;
  }
  return Number.isFinite(grain) ? grain : 1;
}

/** Milliseconds of one run, from runs that take `time` together. */
function timeOf(run: () => void, time: number, clock: Clock): number {
  const before = clock();
  let begin = clock();
  for (let reading = 0; begin === before && reading < MOST_READINGS; reading++) begin = clock();
  let runs = 0;
  let now = begin;
  do {
    run();
    runs++;
    now = clock();
  } while (now - begin < time);
  return (now - begin) / runs;
}
