import { EPOCH_FIGURES, PANELS } from '../metrics/figures.js';

/** Tag of each figure of an epoch: the panel that it is drawn in, and its column in epochs.csv. */
const TAGS = new Map(
  EPOCH_FIGURES.map(({ name, panel, column }) => [name, `${PANELS[panel].name}/${column}`]),
);

/** Figures of an epoch by their tags. */
export function epochScalars(figures: Readonly<Record<string, number>>): Record<string, number> {
  const own = [...TAGS].flatMap(([name, tag]) => (figures[name] === undefined ? [] : [[tag, figures[name]]]));
  return { ...Object.fromEntries(own), 'time/seconds': figures.seconds };
}

/** Tags that trainings with such figures are compared by. */
export function comparedTags(names: readonly string[]): string[] {
  return names.flatMap((name) => TAGS.get(name) ?? []);
}
