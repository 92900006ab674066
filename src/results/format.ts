import { passOf, seedOf } from './job-id.js';
import type { ModelRecord } from './records.js';

/** Shown in place of a missing figure. */
export const NONE = '–';

/** Numbers from here up are written with an exponent. */
const LARGE = 1e6;

/** A figure to four decimals, as the published report prints them; to four digits where those would be many or all 0. */
export function figure(value: number | null | undefined): string {
  if (value === null || value === undefined) return NONE;
  const size = Math.abs(value);
  const fits = size < LARGE && (size === 0 || Number(size.toFixed(4)) > 0);
  return fits ? value.toFixed(4) : value.toExponential(3);
}

/** A learning rate with all of its digits: `0.005`, `1e+20`. */
export function rateText(rate: number): string {
  return rate < LARGE ? String(rate) : rate.toExponential();
}

/** A difference to four digits, always with its sign (a true minus). */
export function difference(value: number): string {
  const size = Math.abs(value);
  if (Number(size.toFixed(4)) === 0) return '±0.0000';
  const digits = figure(size);
  return `${value < 0 ? '−' : '+'}${digits}`;
}

/** A whole number with thousands separated: `1,500,362`. */
export function whole(value: number): string {
  return value.toLocaleString('en-US');
}

/** A model as people say it: `large1 at 0.005`, `large1 at 0.003, seed 1`; by its id the latter. */
export function modelTitle({
  model,
  learningRate,
  id,
}: Pick<ModelRecord, 'model' | 'learningRate'> & { id?: string }): string {
  return `${printable(model)} at ${rateText(learningRate)}${furtherTitle(id)}`;
}

/** What tells models of one architecture and rate apart, in words: `, seed 1`, `, pass 2`, or nothing. */
export function furtherTitle(id = ''): string {
  const seed = seedOf(id);
  const pass = passOf(id);
  return `${seed === null ? '' : `, seed ${seed}`}${pass === 1 ? '' : `, pass ${pass}`}`;
}

/** What became of a model that has an error: it failed, or was interrupted and can go on. */
export function endOf({ interrupted }: Pick<ModelRecord, 'interrupted'>): string {
  return interrupted ? 'interrupted' : 'failed';
}

/** A time in words: `0.4 s`, `41 s`, `5 min 7 s`, `2 h 5 min`. */
export function duration(seconds: number): string {
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  const minutes = Math.round(whole / 60);
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** Total of a model's epochs, in seconds. */
export function trainingSeconds({ epochs }: ModelRecord): number {
  return epochs.reduce((total, { seconds }) => total + seconds, 0);
}

/**
 * Text from a user's file, safe to print, draw and parse as XML: control characters, lone surrogates and marks that
 * turn the direction of writing are replaced.
 */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cs}\u202a-\u202e\u2066-\u2069\ufffe\uffff]/gu, '\ufffd');
}

/** A text cut to a number of characters, with an ellipsis for what is left out. */
export function clip(text: string, characters: number): string {
  const all = [...text];
  return all.length <= characters ? text : `${all.slice(0, characters - 1).join('')}…`;
}
