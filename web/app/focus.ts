import type { RefObject } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';

/**
 * Keeps the focus in a place whose elements come and go: where one of those that match went while it was in focus, the one that
 * has come to its number is focused, or the last, or, where none is left, what matches `otherwise`.
 */
export function useFocusKept<T extends HTMLElement>(
  matching: string,
  otherwise = matching,
): RefObject<T | null> {
  const place = useRef<T>(null);
  const all = (selector: string) => [...(place.current?.querySelectorAll<HTMLElement>(selector) ?? [])];
  // The page is not changed yet.
  const at = all(matching).indexOf(document.activeElement as HTMLElement);
  useLayoutEffect(() => {
    if (at < 0 || document.activeElement !== document.body) return;
    const left = all(matching);
    (left[Math.min(at, left.length - 1)] ?? all(otherwise)[0])?.focus();
  });
  return place;
}
