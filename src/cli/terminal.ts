import { createLogUpdate } from 'log-update';
import type { RunEvent } from '../results/records.js';
import { eventLine, liveLines, newProgress, type Progress, updateProgress } from './progress.js';

/** Shows a run, or another long work, while it goes on. */
export interface View<Event> {
  event(event: Event): void;
  /** A line of text that is not an event, such as where the data came from. */
  note(line: string): void;
  /** Leaves the terminal to the shell, and comes back. */
  suspend(): void;
  resume(): void;
  /** Ends the view; what stays on the screen stays. */
  close(): void;
}

/** What a view shows of a work. */
export interface Show<Event> {
  /** Takes an event in. */
  hear(event: Event): void;
  /** The lasting line of an event where nothing is drawn again; null for none. */
  line(event: Event): string | null;
  /** The same above live lines, which tell the rest. */
  lasting(event: Event): string | null;
  /** The live lines, each at most `width` characters; none before there is anything to show. */
  lines(width: number): string[];
}

/** Where a view is shown: stdout, or a test's substitute. */
export type Screen = NodeJS.WritableStream & { isTTY?: boolean; columns?: number; rows?: number };

/** Least time between two drawings of the live lines, in milliseconds. */
const REDRAW_INTERVAL = 200;

const nothing = (): void => {};

/** One JSON object for each event on stdout; notes go to stderr. */
export function jsonView(): View<RunEvent> {
  return {
    event: (event) => process.stdout.write(`${JSON.stringify(event)}\n`),
    note: (line) => process.stderr.write(`${line}\n`),
    suspend: nothing,
    resume: nothing,
    close: nothing,
  };
}

/**
 * Live lines on a terminal, plain lines elsewhere. A terminal that does not tell its
 * size, or that calls itself dumb, cannot redraw in place.
 */
export function textView<Event>(show: Show<Event>): View<Event> {
  const { isTTY, columns, rows } = process.stdout;
  const canRedraw = isTTY && columns > 0 && rows > 0 && process.env.TERM !== 'dumb';
  return canRedraw ? liveView(process.stdout, show) : plainView(show);
}

function plainView<Event>(show: Show<Event>): View<Event> {
  return {
    event(event) {
      show.hear(event);
      const line = show.line(event);
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

/** What is shown of a run; `now` tells the time in milliseconds. */
export function runShow(now: () => number): Show<RunEvent> {
  const progress: Progress = newProgress(now());
  return {
    hear: (event) => updateProgress(progress, event, now()),
    line: (event) => eventLine(event, progress.epochs),
    lasting: (event) => (LASTING.has(event.type) ? eventLine(event, progress.epochs) : null),
    lines: (width) => (progress.models === 0 ? [] : liveLines(progress, now(), width)),
  };
}

/** Redraws the live lines below those that stay. */
export function liveView<Event>(stream: Screen, show: Show<Event>): View<Event> {
  const screen = createLogUpdate(stream as NodeJS.WriteStream);
  let drawn = 0;
  const clear = (): void => {
    screen.clear();
    drawn = 0;
  };
  const draw = (): void => {
    const lines = show.lines((stream.columns ?? 80) - 1);
    if (lines.length === 0) return;
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
      show.hear(event);
      const line = show.lasting(event);
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
