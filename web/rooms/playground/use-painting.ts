import { useEffect, useRef } from 'preact/hooks';
import { onOtherColours, type Palette, palette } from './colours.ts';

/** Paints whenever something in `of` is another, and at once where the page's colours are: a printer does not wait for a frame. */
export function usePainting(paint: (colours: Palette) => void, of: readonly unknown[]): void {
  const latest = useRef(paint);
  latest.current = paint;
  useEffect(() => latest.current(palette()), of);
  useEffect(() => onOtherColours(() => latest.current(palette())), []);
}
