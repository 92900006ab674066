import type { ReadonlySignal } from '@preact/signals';
import { useRef, useState } from 'preact/hooks';
import { REACH } from './grid.ts';
import { paintPoints, paintSurface, type Surface } from './painting.ts';
import type { Point } from './points.ts';
import { usePainting } from './use-painting.ts';

interface Props {
  /** Read here alone: a new surface paints this, and nothing else of the page. */
  surface: ReadonlySignal<Surface>;
  train: readonly Point[];
  test: readonly Point[];
  showsTest: boolean;
  isNumber: boolean;
  /** Called where a point is painted; null while that is not possible. */
  onPaint: ((x: number, y: number) => void) | null;
  label: string;
}

/** What is painted on by keyboard takes the keys for itself. */
const OPERATED = { role: 'application', tabIndex: 0 } as const;
/** Pixels of the canvas's side: more for fine screens. */
const SIDE = Math.round(Math.min(2, Math.max(1, devicePixelRatio)) * 460);
/** Least distance between two points of a stroke, in the plane. */
const APART = 0.07;

/** The plane: the surface below, the points above, painted by pointer or, with the arrows and the space bar, by keyboard. */
export function Plane({ surface: shown, train, test, showsTest, isNumber, onPaint, label }: Props) {
  const surface = shown.value;
  const canvas = useRef<HTMLCanvasElement>(null);
  const last = useRef<[number, number] | null>(null);
  const [cursor, setCursor] = useState<[number, number] | null>(null);
  usePainting(
    (colours) => {
      paintSurface(canvas.current!, surface, colours);
      if (showsTest) paintPoints(canvas.current!, test, { isTest: true, isNumber }, colours);
      paintPoints(canvas.current!, train, { isTest: false, isNumber }, colours);
      if (cursor !== null) paintCursor(canvas.current!, cursor, colours.ink);
    },
    [surface, train, test, showsTest, isNumber, cursor],
  );

  const paint = (x: number, y: number) => {
    const from = last.current;
    if (from !== null && Math.hypot(x - from[0], y - from[1]) < APART) return;
    last.current = [x, y];
    onPaint!(x, y);
  };
  const pointer = (event: PointerEvent) => {
    const { left, top, width } = canvas.current!.getBoundingClientRect();
    const place = (offset: number) => ((2 * offset) / width - 1) * REACH;
    const [x, y] = [place(event.clientX - left), -place(event.clientY - top)];
    // A stroke that leads out of the plane paints nothing there.
    if (Math.max(Math.abs(x), Math.abs(y)) <= REACH) paint(bounded(x), bounded(y));
  };
  const key = (event: KeyboardEvent) => {
    const [x, y] = cursor ?? [0, 0];
    const step = event.shiftKey ? 0.2 : 0.05;
    const moves: Record<string, [number, number]> = {
      ArrowLeft: [-step, 0],
      ArrowRight: [step, 0],
      ArrowUp: [0, step],
      ArrowDown: [0, -step],
    };
    const move = moves[event.key];
    if (move) setCursor([bounded(x + move[0]), bounded(y + move[1])]);
    else if (event.key === ' ') {
      last.current = null;
      onPaint!(x, y);
    } else return;
    event.preventDefault();
  };
  return onPaint === null ? (
    <canvas ref={canvas} class="plane" width={SIDE} height={SIDE} role="img" aria-label={label} />
  ) : (
    <canvas
      ref={canvas}
      class="plane painted"
      width={SIDE}
      height={SIDE}
      {...OPERATED}
      aria-label={`${label} Arrow keys move the brush, the space bar paints a point.`}
      onPointerDown={(event) => {
        if (event.button !== 0) return;
        canvas.current!.setPointerCapture(event.pointerId);
        last.current = null;
        setCursor(null);
        pointer(event);
      }}
      onPointerMove={(event) => event.buttons === 1 && pointer(event)}
      onKeyDown={key}
      onFocus={() => canvas.current!.matches(':focus-visible') && setCursor(cursor ?? [0, 0])}
      onBlur={() => setCursor(null)}
    />
  );
}

const bounded = (value: number) => Math.min(1, Math.max(-1, value));

function paintCursor(canvas: HTMLCanvasElement, [x, y]: readonly [number, number], ink: string): void {
  const context = canvas.getContext('2d')!;
  const scale = canvas.width / (2 * REACH);
  const [left, top] = [(x + REACH) * scale, (REACH - y) * scale];
  context.strokeStyle = ink;
  context.lineWidth = 3;
  context.beginPath();
  context.moveTo(left - 18, top);
  context.lineTo(left + 18, top);
  context.moveTo(left, top - 18);
  context.lineTo(left, top + 18);
  context.stroke();
}
