import { reasonOf } from '../node/files.js';
import { EXIT } from './errors.js';

type Name = 'stdout' | 'stderr';

/** Streams of this process that something could not be written to. */
const broken = new Set<Name>();

/** Whether the process trains, and so goes on when nobody reads its output. */
let isTraining = false;

/**
 * Keeps errors of stdout and stderr from ending the process: each is printed once, on the other stream, and
 * {@link outputFailed} tells of it. Only a command that is there to print ends, quietly, when the reader of its stdout
 * has gone (`treadle inspect FILE | head`). With `json`, stdout gets no such message.
 */
export function watchOutput(json: boolean): void {
  watch('stdout', 'stderr');
  watch('stderr', json ? null : 'stdout');
}

/** Says that the process trains from now on. */
export function goOnUnread(): void {
  isTraining = true;
}

/** Waits until all that was written has left the process, and says whether some of it could not be written. */
export async function outputFailed(): Promise<boolean> {
  for (const stream of [process.stdout, process.stderr]) {
    await new Promise<void>((resolve) => stream.write('', () => resolve()));
    // The event of a failure comes after the callback.
    await new Promise(setImmediate);
  }
  return broken.size > 0;
}

function watch(name: Name, other: Name | null): void {
  process[name].on('error', (error: NodeJS.ErrnoException) => {
    if (name === 'stdout' && error.code === 'EPIPE' && !isTraining) process.exit(EXIT.failed);
    if (broken.has(name)) return;
    broken.add(name);
    if (other === null || broken.has(other)) return;
    const consequence = isTraining ? '; the training goes on without it' : '';
    process[other].write(`error: ${name} cannot be written: ${reasonOf(error)}${consequence}.\n`);
  });
}
