/** An axis that starts and ends on a tick. */
export interface Scale {
  min: number;
  max: number;
  interval: number;
  /** Digits after the point that tell its ticks apart. */
  digits: number;
}

/** The smallest step is 10 to this power. */
const FINEST = -12;

/** Limits of an axis. */
export interface ScaleWish {
  /** The most steps it may have. */
  steps?: number;
  /** The least and the largest value that there can be: the axis is not widened beyond them. */
  least?: number;
  most?: number;
}

/**
 * The smallest axis with steps of 1, 2 or 5 times a power of ten that holds all values. A single value stands on its
 * middle, or at its end where the axis could not go further.
 *
 * @example niceScale([0.3, 4.2]); // { min: 0, max: 5, interval: 1, digits: 0 }
 */
export function niceScale(
  values: readonly number[],
  { steps = 5, least = -Infinity, most = Infinity }: ScaleWish = {},
): Scale {
  const low = values.length === 0 ? 0 : values.reduce((a, b) => Math.min(a, b));
  const high = values.length === 0 ? 1 : values.reduce((a, b) => Math.max(a, b));
  const span = high > low ? high - low : Math.max(Math.abs(high), 1) / 10;
  for (let power = Math.max(FINEST, Math.floor(Math.log10(span / steps))); ; power++) {
    for (const factor of [1, 2, 5]) {
      const digits = Math.max(0, -power);
      const interval = Number((factor * 10 ** power).toPrecision(3));
      let first = Math.floor(low / interval + 1e-9);
      let last = Math.ceil(high / interval - 1e-9);
      if (first === last) {
        if ((first - 1) * interval >= least) first -= 1;
        if ((last + 1) * interval <= most + 1e-9) last += 1;
      }
      if (last - first > steps) continue;
      const at = (tick: number) => Number((tick * interval).toFixed(digits));
      return { min: at(first), max: at(last), interval, digits };
    }
  }
}

/** A tick's text on its axis, with a true minus. */
export function tickLabel(value: number, { digits }: Scale): string {
  const text = Math.abs(value) >= 1e6 ? value.toExponential(1) : value.toFixed(digits);
  return text.replace('-', '−');
}
