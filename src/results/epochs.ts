import { type FigureRow, figuresOf } from '../metrics/figures.js';
import type { EpochRecord } from './records.js';

/** The figures of a classifier's epoch, in the order of every table. */
export const CLASSIFIER_FIGURES = figuresOf('classification') as readonly (FigureRow & {
  readonly name: Exclude<keyof EpochRecord, 'epoch' | 'seconds'>;
})[];

/** A classifier's epoch from an object that may have other keys too. */
export function epochRecord(figures: Readonly<Record<string, number>> | EpochRecord): EpochRecord {
  const found = figures as EpochRecord;
  return {
    epoch: found.epoch,
    ...Object.fromEntries(CLASSIFIER_FIGURES.map(({ name }) => [name, found[name]])),
    seconds: found.seconds,
  } as EpochRecord;
}
