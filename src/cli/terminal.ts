import { createLogUpdate } from 'log-update';
import type { RunEvent } from '../records.js';
import { eventLine, liveLines, newProgress, type Progress, updateProgress } from './progress.js';

/** Shows a run while it goes on. */
export interface RunView {
  event(event: RunEvent): void;
  /** A line of text that is not an event, such as where the data came from. */
  note(line: string): void;
  /** Ends the view; what stays on the screen stays. */
  close(): void;
}

/** Least time between two drawings of the live lines, in milliseconds. */
const REDRAW_INTERVAL = 200;

/** One JSON object for each event on stdout; notes go to stderr. */
export function jsonView(): RunView {
  return {
    event: (event) => process.stdout.write(`${JSON.stringify(event)}\n`),
    note: (line) => process.stderr.write(`${line}\n`),
    close: () => {},
  };
}

/** Live lines on a terminal, one plain line for each epoch on a pipe. */
export function textView(): RunView {
  const progress = newProgress(Date.now());
  const { isTTY, columns, rows } = process.stdout;
  // Some terminals do not tell their size; nothing can be redrawn in place there.
  return isTTY && columns > 0 && rows > 0 ? liveView(progress) : plainView(progress);
}

function plainView(progress: Progress): RunView {
  return {
    event(event) {
      updateProgress(progress, event, Date.now());
      const line = eventLine(event, progress.epochs);
      if (line !== null) process.stdout.write(`${line}\n`);
    },
    note: (line) => process.stdout.write(`${line}\n`),
    close: () => {},
  };
}

/** Events that leave a line above the live ones; epochs do not, the tables at the end hold them. */
const LASTING: ReadonlySet<RunEvent['type']> = new Set(['run', 'warning', 'saved', 'failed', 'done']);

function liveView(progress: Progress): RunView {
  const screen = createLogUpdate(process.stdout);
  const draw = (): void => {
    if (progress.models === 0) return;
    screen(liveLines(progress, Date.now(), process.stdout.columns - 1).join('\n'));
  };
  const timer = setInterval(draw, REDRAW_INTERVAL);
  return {
    event(event) {
      updateProgress(progress, event, Date.now());
      const line = LASTING.has(event.type) ? eventLine(event, progress.epochs) : null;
      if (line !== null) screen.persist(line);
    },
    note: (line) => screen.persist(line),
    close() {
      clearInterval(timer);
      screen.clear();
      screen.done();
    },
  };
}
