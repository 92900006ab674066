import { useEffect, useRef, useState } from 'preact/hooks';
import { Slider } from '../../app/Field.tsx';
import { BOARD, type Brush, type Place, put, seen, stroke, wipe } from './board.ts';
import { Picture } from './Picture.tsx';

interface Props {
  /** An image that is put onto the board when it is another object. */
  image: Uint8Array | null;
  /** Called with what the network sees (null: nothing) after each stroke, and when that began, by `performance.now()`. */
  onSeen: (pixels: Uint8Array | null, since: number) => void;
}

/** Where one draws: by finger, pen or mouse, or with the arrows and the space bar. */
export function Board({ image, onSeen }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const last = useRef<Place | null>(null);
  const [brush, setBrush] = useState<Brush>({ width: 36, shade: 200 });
  const [shown, show] = useState<Uint8Array | null>(null);
  const [cursor, setCursor] = useState<Place | null>(null);
  const look = (since: number, pixels = seen(canvas.current!)) => {
    onSeen(pixels, since);
    show(pixels);
  };
  const clear = () => {
    wipe(canvas.current!);
    look(performance.now(), null);
  };
  useEffect(() => {
    if (image === null) return clear();
    put(canvas.current!, image);
    look(performance.now(), image);
  }, [image]);
  const draw = (to: Place, width = brush.width) => {
    stroke(canvas.current!, last.current ?? to, to, { ...brush, width });
    last.current = to;
  };
  const pointer = (event: PointerEvent) => {
    const since = performance.now();
    const { left, top, width } = canvas.current!.getBoundingClientRect();
    // A fast pen has been at several places since the frame before.
    const events = event.type === 'pointermove' ? (event.getCoalescedEvents?.() ?? []) : [];
    for (const { clientX, clientY, pressure, pointerType } of events.length > 0 ? events : [event]) {
      const wide = pointerType === 'pen' && pressure > 0 ? brush.width * (0.4 + 1.2 * pressure) : brush.width;
      draw([((clientX - left) * BOARD) / width, ((clientY - top) * BOARD) / width], wide);
    }
    look(since);
  };
  const key = (event: KeyboardEvent) => {
    const [x, y] = cursor ?? [BOARD / 2, BOARD / 2];
    const step = event.shiftKey ? 4 : 12;
    const moves: Record<string, Place> = {
      ArrowLeft: [-step, 0],
      ArrowRight: [step, 0],
      ArrowUp: [0, -step],
      ArrowDown: [0, step],
    };
    const move = moves[event.key];
    if (move) setCursor([bounded(x + move[0]), bounded(y + move[1])]);
    else if (event.key === ' ') {
      const since = performance.now();
      last.current = null;
      draw([x, y]);
      look(since);
    } else return;
    event.preventDefault();
  };
  return (
    <div class="drawing">
      <div class="boards">
        <figure class="board">
          <canvas
            ref={canvas}
            width={BOARD}
            height={BOARD}
            tabIndex={0}
            aria-label="Drawing board. Arrow keys move the brush, the space bar draws a dot."
            onPointerDown={(event) => {
              if (event.button !== 0) return;
              canvas.current!.setPointerCapture(event.pointerId);
              last.current = null;
              setCursor(null);
              pointer(event);
            }}
            onPointerMove={(event) => event.buttons === 1 && pointer(event)}
            onKeyDown={key}
            onFocus={() => canvas.current!.matches(':focus-visible') && setCursor(cursor ?? [140, 140])}
            onBlur={() => setCursor(null)}
          />
          {cursor !== null && (
            <span
              class="cursor"
              aria-hidden="true"
              style={{
                left: `${(100 * cursor[0]) / BOARD}%`,
                top: `${(100 * cursor[1]) / BOARD}%`,
                width: `${(100 * brush.width) / BOARD}%`,
              }}
            />
          )}
          <figcaption class="note">Draw here, light on dark.</figcaption>
        </figure>
        <figure class="board">
          <Picture pixels={shown} label="What is drawn, as the network sees it: 28 x 28 pixels" />
          <figcaption class="note">What the network sees.</figcaption>
        </figure>
      </div>
      <div class="brush">
        <Slider
          label="Brush"
          value={brush.width}
          least={6}
          most={90}
          step={2}
          shown={`${(brush.width / 10).toFixed(1)} px`}
          onChange={(width) => setBrush({ ...brush, width })}
        />
        <Slider
          label="Shade"
          value={brush.shade}
          least={0}
          most={255}
          step={5}
          shown={brush.shade === 0 ? 'erase' : `${Math.round(brush.shade / 2.55)} %`}
          onChange={(shade) => setBrush({ ...brush, shade })}
        />
        <button type="button" onClick={clear}>
          Wipe
        </button>
      </div>
    </div>
  );
}

const bounded = (value: number) => Math.min(BOARD, Math.max(0, value));
