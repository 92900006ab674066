import { createLogUpdate } from 'log-update';
import type { RunEvent } from '../results/records.js';
import { eventLine, liveLines, newProgress, type Progress, updateProgress } from './progress.js';

/** Shows a run while it goes on. */
export interface RunView {
  event(event: RunEvent): void;
  /** A line of text that is not an event, such as where the data came from. */
  note(line: string): void;
  /** Leaves the terminal to the shell, and comes back. */
  suspend(): void;
  resume(): void;
  /** Ends the view; what stays on the screen stays. */
  close(): void;
}

/** Where a view is shown: stdout, or a test's substitute. */
export type Screen = NodeJS.WritableStream & { isTTY?: boolean; columns?: number; rows?: number };

/** Least time between two drawings of the live lines, in milliseconds. */
const REDRAW_INTERVAL = 200;

const nothing = (): void => {};

/** One JSON object for each event on stdout; notes go to stderr. */
export function jsonView(): RunView {
  return {
    event: (event) => process.stdout.write(`${JSON.stringify(event)}\n`),
    note: (line) => process.stderr.write(`${line}\n`),
    suspend: nothing,
    resume: nothing,
    close: nothing,
  };
}

/**
 * Live lines on a terminal, one plain line for each epoch elsewhere; `now` tells the time in milliseconds. A terminal
 * that does not tell its size, or that calls itself dumb, cannot redraw in place.
 */
export function textView(now: () => number): RunView {
  const { isTTY, columns, rows } = process.stdout;
  const canRedraw = isTTY && columns > 0 && rows > 0 && process.env.TERM !== 'dumb';
  return canRedraw ? liveView(process.stdout, now) : plainView(now);
}

function plainView(now: () => number): RunView {
  const progress = newProgress(now());
  return {
    event(event) {
      updateProgress(progress, event, now());
      const line = eventLine(event, progress.epochs);
      if (line !== null) process.stdout.write(`${line}\n`);
    },
    note: (line) => process.stdout.write(`${line}\n`),
    suspend: nothing,
    resume: nothing,
    close: nothing,
  };
}

/** Events that leave a line above the live ones. Epochs leave none: the tables at the end have them. */
const LASTING: ReadonlySet<RunEvent['type']> = new Set(['run', 'warning', 'saved', 'failed', 'done']);

/** Redraws the live lines below those that stay. */
export function liveView(stream: Screen, now: () => number): RunView {
  const progress: Progress = newProgress(now());
  const screen = createLogUpdate(stream as NodeJS.WriteStream);
  let drawn = 0;
  const clear = (): void => {
    screen.clear();
    drawn = 0;
  };
  const draw = (): void => {
    if (progress.models === 0) return;
    const lines = liveLines(progress, now(), (stream.columns ?? 80) - 1);
    // log-update 7 miscounts where lines come or go above one that stays the same.
    if (lines.length !== drawn) clear();
    screen(lines.join('\n'));
    drawn = lines.length;
  };
  const keep = (line: string): void => {
    clear();
    stream.write(`${line}\n`);
    draw();
  };
  let timer = setInterval(draw, REDRAW_INTERVAL);
  const suspend = (): void => {
    clearInterval(timer);
    clear();
    screen.done();
  };
  return {
    event(event) {
      updateProgress(progress, event, now());
      const line = LASTING.has(event.type) ? eventLine(event, progress.epochs) : null;
      if (line !== null) keep(line);
    },
    note: keep,
    suspend,
    resume() {
      timer = setInterval(draw, REDRAW_INTERVAL);
      draw();
    },
    close: suspend,
  };
}
