import type { Role } from 'treadle/charts';

/** The colours of the classes, and of low and high numbers. */
export const CLASS_ROLES: readonly Role[] = ['series1', 'series2', 'series3', 'series4', 'series6'];
export const CLASS_NAMES = ['Blue', 'Orange', 'Green', 'Purple', 'Red'] as const;

export type Rgb = readonly [number, number, number];

/** The page's colours as they are now. */
export interface Palette {
  paper: Rgb;
  ink: string;
  classes: readonly Rgb[];
}

/** What the page's colours hang on: in the dark they are others than by day and on paper. */
const MEDIA = ['(prefers-color-scheme: dark)', 'print'].map((query) => matchMedia(query));

/** They are kept, for asking the page for them has it work out its styles. */
let kept: Palette | null = null;
onOtherColours(() => {
  kept = null;
});

export function palette(): Palette {
  kept ??= readPalette();
  return kept;
}

/** Calls back whenever the colours have become others; gives what ends that. */
export function onOtherColours(listener: () => void): () => void {
  for (const media of MEDIA) media.addEventListener('change', listener);
  return () => {
    for (const media of MEDIA) media.removeEventListener('change', listener);
  };
}

function readPalette(): Palette {
  const style = getComputedStyle(document.documentElement);
  const rgb = (role: Role): Rgb => {
    const hex = style.getPropertyValue(`--${role}`).trim();
    return [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16)) as unknown as Rgb;
  };
  return { paper: rgb('paper'), ink: style.getPropertyValue('--ink').trim(), classes: CLASS_ROLES.map(rgb) };
}

/** A colour over another. */
export const mixed = (over: Rgb, under: Rgb, share: number): Rgb => [
  under[0] + (over[0] - under[0]) * share,
  under[1] + (over[1] - under[1]) * share,
  under[2] + (over[2] - under[2]) * share,
];

/** A number from -1 (orange) by 0 (paper) to 1 (blue). */
export function numberColour(value: number, { paper, classes }: Palette): Rgb {
  const strength = Math.min(1, Math.abs(value));
  return mixed(value > 0 ? classes[0]! : classes[1]!, paper, 0.82 * strength);
}

/** Shares of classes: each class's colour, as far as the model is sure. */
export function classesColour(
  shares: ArrayLike<number>,
  from: number,
  { paper, classes }: Palette,
  count: number,
): Rgb {
  let [red, green, blue] = [0, 0, 0];
  let most = 0;
  for (let index = 0; index < count; index++) {
    const share = shares[from + index]!;
    const [r, g, b] = classes[index]!;
    red += share * r;
    green += share * g;
    blue += share * b;
    most = Math.max(most, share);
  }
  // Paper where nothing is likelier than anything else.
  const sure = (most - 1 / count) / (1 - 1 / count);
  return mixed([red, green, blue], paper, 0.16 + 0.46 * sure);
}
