import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { TERMS, type TermName } from './terms.ts';

/** A term that explains itself in one sentence when it is pressed. */
export function Term({ name, children }: { name: TermName; children: ComponentChildren }) {
  const [open, setOpen] = useState(false);
  const [left, setLeft] = useState(0);
  const id = useId();
  const place = useRef<HTMLSpanElement>(null);
  useEffect(() => {
    if (!open) return;
    // The sentence stays within the window, however far to the right its term stands.
    const { left: from } = place.current!.getBoundingClientRect();
    setLeft(Math.min(0, document.documentElement.clientWidth - 16 - 272 - from));
    const close = (event: Event) => {
      if (
        event instanceof KeyboardEvent
          ? event.key === 'Escape'
          : !place.current!.contains(event.target as Node)
      ) {
        setOpen(false);
      }
    };
    addEventListener('pointerdown', close);
    addEventListener('keydown', close);
    return () => {
      removeEventListener('pointerdown', close);
      removeEventListener('keydown', close);
    };
  }, [open]);
  return (
    <span class="term" ref={place}>
      <button type="button" aria-expanded={open} aria-controls={id} onClick={() => setOpen(!open)}>
        {children}
      </button>
      <span id={id} class="explained" role="note" hidden={!open} style={{ left: `${left}px` }}>
        {TERMS[name]}
      </span>
    </span>
  );
}
