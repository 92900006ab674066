import type { Worker } from 'node:worker_threads';
import type { AbortSignalLike, Core, TreadleError } from '#bindings';
import { sharedSamples } from '../data/shared.js';
import type { LabelledImages } from '../model/classifier.js';
import type { TestRecord } from '../results/records.js';
import { onAbort } from '../strict/abort.js';
import type { Average } from './evaluate.js';
import type { DataShape } from './jobs.js';
import { fromErrorRecord, type WorkerMessage } from './messages.js';
import { startWorker, workerError } from './threads.js';

export interface TestFilesOptions {
  core: Core;
  data: LabelledImages;
  shape: DataShape;
  /** What predictions are averaged over; nothing when left out. `flip` needs the shape's `imageWidth`. */
  average?: Average | undefined;
  /** Files tested at once, each by a thread; 1 when left out. */
  threads?: number | undefined;
  /** Called for each file in order, as soon as its result and those before it are there. */
  onTested: (file: string, result: TestRecord | TreadleError) => void;
  signal?: AbortSignalLike | undefined;
}

/**
 * Tests weight files in worker threads; a file that cannot be tested is handed over as its error.
 * Rejects with `interrupted` when the signal aborts, with `worker` when a thread dies, and with what `onTested` throws.
 *
 * @example await testFiles(files, { core, data: test, shape, onTested: (file, result) => console.log(file, result) });
 */
export async function testFiles(files: readonly string[], options: TestFilesOptions): Promise<void> {
  const { core, onTested, threads = 1, signal, average = 'none' } = options;
  const shape = { ...options.shape, average };
  const data = sharedSamples(options.data);
  const count = Math.min(threads, files.length);
  const shares = Array.from({ length: count }, (_, thread) =>
    files.map((_, index) => index).filter((index) => index % count === thread),
  );
  const workers = shares.map((share) =>
    startWorker({ role: 'test', core, data, files: share.map((index) => files[index]!), shape }),
  );
  const results = new Map<number, TestRecord | TreadleError>();
  let told = 0;
  const take = (index: number, result: TestRecord | TreadleError): void => {
    results.set(index, result);
    for (; results.has(told); told++) onTested(files[told]!, results.get(told)!);
  };
  let stopListening = (): void => {};
  try {
    const stopped = new Promise<never>((_, reject) => {
      stopListening = onAbort(signal, reject);
    });
    const tested = workers.map((worker, thread) => resultsOf(worker, shares[thread]!, take));
    await Promise.race([Promise.all(tested), stopped]);
  } finally {
    stopListening();
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}

/** Hands over the results of one thread's share, in its order; rejects when the thread ends before. */
function resultsOf(
  worker: Worker,
  share: readonly number[],
  take: (index: number, result: TestRecord | TreadleError) => void,
): Promise<void> {
  let tested = 0;
  return new Promise((resolve, reject) => {
    worker.on('message', (message: WorkerMessage) => {
      try {
        if (message.type === 'tested') take(share[tested++]!, message.result);
        else if (message.type === 'untested') take(share[tested++]!, fromErrorRecord(message.error));
      } catch (error) {
        reject(error);
      }
    });
    worker.on('error', (error) => reject(workerError('The test', error)));
    worker.on('exit', (code) =>
      tested === share.length ? resolve() : reject(workerError('The test', code)),
    );
  });
}
