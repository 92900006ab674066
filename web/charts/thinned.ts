import type { EpochFigures } from 'treadle';

/** More cannot be told apart in a chart. */
const MOST = 240;

/** Epochs at about equal distances, with the last and the best one among them. */
export function thinned(epochs: readonly EpochFigures[], best = 0): readonly EpochFigures[] {
  if (epochs.length <= MOST) return epochs;
  const every = epochs.length / MOST;
  const places = new Set(Array.from({ length: MOST }, (_, at) => Math.floor(at * every)));
  places.add(epochs.length - 1);
  if (best > 0) places.add(best - 1);
  return [...places].sort((a, b) => a - b).map((place) => epochs[place]!);
}
