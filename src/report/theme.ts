/** A colour of the report in its light and its dark form. */
export interface Tone {
  readonly light: string;
  readonly dark: string;
}

/**
 * Every colour of the report, by its role. Charts are drawn in the light form; in the page each light value
 * becomes the CSS variable of its role, so no two roles share one. Text reaches a contrast of 4.5:1 against paper,
 * `hit` and `miss` at full strength, lines 3:1. The series keep apart for the common forms of colour blindness
 * (blue, orange, green, purple at different lightness, after the Okabe-Ito set).
 */
export const TONES = {
  paper: { light: '#ffffff', dark: '#14181f' },
  ink: { light: '#18202b', dark: '#e8ecf2' },
  muted: { light: '#566070', dark: '#a3aebd' },
  line: { light: '#d5dae2', dark: '#343d4b' },
  band: { light: '#f3f5f8', dark: '#1b212b' },
  published: { light: '#8a5a00', dark: '#e8b44c' },
  hit: { light: '#7db4e8', dark: '#215f9e' },
  miss: { light: '#f3a860', dark: '#984d10' },
  series1: { light: '#0b62a8', dark: '#62b0ee' },
  series2: { light: '#cc5200', dark: '#ff9650' },
  series3: { light: '#00805a', dark: '#3ecb9f' },
  series4: { light: '#9c3f88', dark: '#e59fd6' },
  series5: { light: '#5b5f6b', dark: '#b9bfcc' },
  series6: { light: '#b3203a', dark: '#ff8793' },
} as const satisfies Record<string, Tone>;

export type Role = keyof typeof TONES;

/** The light form of a colour: what charts are drawn in. */
export function light(role: Role): string {
  return TONES[role].light;
}

const SERIES: readonly Role[] = ['series1', 'series2', 'series3', 'series4', 'series5', 'series6'];

/** Marks that tell lines of one colour apart: the chart library's name, and the same form as an SVG path. */
const MARKS = [
  { symbol: 'circle', path: 'M7 5a4 4 0 1 0 8 0a4 4 0 1 0 -8 0z' },
  { symbol: 'triangle', path: 'M11 1L15 9H7z' },
  { symbol: 'rect', path: 'M7 1H15V9H7z' },
  { symbol: 'diamond', path: 'M11 0L16 5L11 10L6 5z' },
] as const;

/** How the n-th learning rate (from 0) is drawn. */
export interface SeriesStyle {
  role: Role;
  /** The form of its marks. */
  symbol: string;
  /** The same form as an SVG path, in the middle of a box of 22 by 10. */
  path: string;
  /** Whether its lines carry marks: where an earlier rate has the same colour. */
  marked: boolean;
}

/** The style of the n-th learning rate (from 0): twenty-four that differ, then from the start again. */
export function seriesStyle(index: number): SeriesStyle {
  const round = Math.floor(index / SERIES.length) % MARKS.length;
  return { role: SERIES[index % SERIES.length]!, ...MARKS[round]!, marked: round > 0 };
}

/** Fonts of the charts; PNGs are drawn with the first. */
export const CHART_FONTS = 'DejaVu Sans, Verdana, sans-serif';

/**
 * The colour at `strength` (0 to 1) over the paper, as `#rrggbb`: what CSS `color-mix(in srgb, …)` gives, for
 * charts outside the page.
 */
export function tint(role: Role, strength: number): string {
  const [from, to] = [channels(light('paper')), channels(light(role))];
  const mixed = from.map((value, index) => Math.round(value + (to[index]! - value) * strength));
  return `#${mixed.map((value) => value.toString(16).padStart(2, '0')).join('')}`;
}

/** Red, green and blue of a colour `#rrggbb`, from 0 to 255. */
export function channels(color: string): number[] {
  return [1, 3, 5].map((start) => Number.parseInt(color.slice(start, start + 2), 16));
}
