import { type Clock, haltClock, resumeClock } from '../experiment/clock.js';
import { EXIT } from './errors.js';
import type { View } from './terminal.js';

const STOPPING = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Callbacks of signals. */
export interface SignalHooks {
  /** Told of the signal that aborts. */
  stopping?: () => void;
  /** Told of a second one, which ends the process at once. */
  ending?: () => void;
  /** Told before the process is stopped by Ctrl-Z, and when it goes on. */
  suspending?: () => void;
  resuming?: () => void;
}

/**
 * Runs work that SIGINT, SIGTERM and SIGHUP (a closed terminal) abort. A second one ends the process at once, but for
 * SIGHUP, which terminal and shell both send. Node gives no way to see that `nohup` asked for SIGHUP to be ignored. The
 * process's handlers are as before when the work is done.
 */
export async function withSignals<T>(
  work: (signal: AbortSignal) => Promise<T>,
  { stopping, ending, suspending, resuming }: SignalHooks = {},
): Promise<T> {
  const controller = new AbortController();
  const stop = (name: NodeJS.Signals): void => {
    if (!controller.signal.aborted) {
      stopping?.();
      controller.abort();
    } else if (name !== 'SIGHUP') {
      ending?.();
      process.exit(EXIT.interrupted);
    }
  };
  const suspend = (): void => {
    suspending?.();
    // With no handler the signal has its own effect: the process is stopped, unless it has no shell to wake it.
    process.off('SIGTSTP', suspend);
    process.kill(process.pid, 'SIGTSTP');
    process.on('SIGTSTP', suspend);
    resuming?.();
  };
  for (const name of STOPPING) process.on(name, stop);
  process.on('SIGTSTP', suspend);
  try {
    return await work(controller.signal);
  } finally {
    for (const name of STOPPING) process.off(name, stop);
    process.off('SIGTSTP', suspend);
  }
}

/** How a long work is shown while it goes on. */
export interface Shown {
  view: View<never>;
  /** Stands still while the process is stopped. */
  clock: Clock;
  /** What a first signal is answered with. */
  stopping: string;
  /** Told when a second signal ends the process. */
  sayHowToGoOn: () => void;
}

/** Runs work that signals abort, as {@link withSignals}, and that is shown: the view is closed at its end. */
export function withView<T>(
  { view, clock, stopping, sayHowToGoOn }: Shown,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  return withSignals(work, {
    stopping: () => view.note(stopping),
    ending() {
      view.close();
      sayHowToGoOn();
    },
    suspending() {
      haltClock(clock);
      view.suspend();
    },
    resuming() {
      resumeClock(clock);
      view.resume();
    },
  }).finally(view.close);
}
