import { shuffled, unit } from '../../data/random.js';
import { combinationsOf, type Range, SETTING_NAMES, type SearchGrid, type Settings, WHOLE } from './grid.js';

/** Random streams of a search: one for the lists' order, then one a trial and setting. */
const SEARCH_STREAM = 2 ** 45;

/** One way to make and train a model. */
export interface Candidate {
  /** Unique in the search, in the order of the grid: `c1`, `c2` and so on. */
  readonly id: string;
  readonly settings: Settings;
}

/**
 * The candidates of a search: every combination of the lists, the last setting changing first, or as many as there are trials,
 * drawn at random: without repeats where all are lists. A pure function of its arguments, which have been checked.
 */
export function candidatesOf(grid: SearchGrid, seed: number): Candidate[] {
  const combinations = combinationsOf(grid);
  const found =
    grid.search !== 'random'
      ? Array.from({ length: combinations! }, (_, at) => combination(grid, at))
      : combinations !== null
        ? Array.from(shuffled(combinations, seed, SEARCH_STREAM).subarray(0, grid.trials), (at) =>
            combination(grid, at),
          )
        : Array.from({ length: grid.trials! }, (_, trial) => drawn(grid, trial, seed));
  return found.map((settings, at) => ({ id: `c${at + 1}`, settings }));
}

function combination(grid: SearchGrid, at: number): Settings {
  const chosen: [string, unknown][] = [];
  let left = at;
  for (const name of [...SETTING_NAMES].reverse()) {
    const values = grid[name] as unknown[] | undefined;
    if (values === undefined) continue;
    chosen.unshift([name, values[left % values.length]]);
    left = Math.floor(left / values.length);
  }
  return Object.fromEntries(chosen);
}

function drawn(grid: SearchGrid, trial: number, seed: number): Settings {
  return Object.fromEntries(
    SETTING_NAMES.flatMap((name, place): [string, unknown][] => {
      const values = grid[name] as unknown[] | Range | undefined;
      if (values === undefined) return [];
      const share = unit(seed, SEARCH_STREAM + 1 + trial * SETTING_NAMES.length + place);
      if (Array.isArray(values)) return [[name, values[Math.floor(share * values.length)]]];
      const value = within(values, share);
      return [[name, WHOLE.has(name) ? Math.round(value) : value]];
    }),
  );
}

/** The number at a share of a range, to six digits: what is shown is what was tried. */
function within({ from, to, scale }: Range, share: number): number {
  const value = scale === 'log' ? from * (to / from) ** share : from + (to - from) * share;
  return Math.min(to, Math.max(from, Number(value.toPrecision(6))));
}
