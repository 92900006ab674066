import type { ComponentChildren } from 'preact';

/** What scrolls has to be reached by keyboard. */
const REACHED = { tabIndex: 0 } as const;

/** A part that may be wider than its place: it scrolls by itself, and the page does not. */
export function Scroll({
  label,
  tall,
  children,
}: {
  label: string;
  tall?: boolean;
  children: ComponentChildren;
}) {
  return (
    <section class={`scroll${tall ? ' tall' : ''}`} aria-label={label} {...REACHED}>
      {children}
    </section>
  );
}
