import type { ModelRecord } from '../records.js';

/** What stands where there is no figure. */
export const NONE = '–';

/** A figure to four digits, as the published report prints them. */
export function figure(value: number | null | undefined): string {
  return value === null || value === undefined ? NONE : value.toFixed(4);
}

/** A difference to four digits, always with its sign (a true minus). */
export function difference(value: number): string {
  const digits = Math.abs(value).toFixed(4);
  if (Number(digits) === 0) return '±0.0000';
  return `${value < 0 ? '−' : '+'}${digits}`;
}

/** A whole number with thousands separated: `1,500,362`. */
export function whole(value: number): string {
  return value.toLocaleString('en-US');
}

/** A model as people say it: `large1 at 0.005`. */
export function modelTitle({ model, learningRate }: Pick<ModelRecord, 'model' | 'learningRate'>): string {
  return `${printable(model)} at ${learningRate}`;
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
