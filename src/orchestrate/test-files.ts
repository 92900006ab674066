import type { Engine, Samples, TreadleError } from '#bindings';
import { toShared } from '../data/shared.js';
import type { TestRecord } from '../records.js';
import { fromErrorRecord, type WorkerMessage } from './messages.js';
import type { DataShape } from './plan.js';
import { onAbort, startWorker, workerError } from './threads.js';

export interface TestFilesOptions {
  engine: Engine;
  data: Samples;
  shape: DataShape;
  /** Called for each file in order, as soon as its result is there. */
  onTested: (file: string, result: TestRecord | TreadleError) => void;
  signal?: AbortSignal | undefined;
}

/**
 * Tests weight files one after the other in a worker thread; a file that cannot be tested is handed over as its error.
 * Rejects with `interrupted` when the signal aborts, with `worker` when the thread dies, and with what `onTested` throws.
 */
export async function testFiles(files: string[], options: TestFilesOptions): Promise<void> {
  const { engine, shape, onTested, signal } = options;
  const data = { images: toShared(options.data.images), labels: toShared(options.data.labels) };
  const worker = startWorker({ role: 'test', engine, data, files, ...shape });
  let tested = 0;
  let stopListening = (): void => {};
  try {
    await new Promise<void>((resolve, reject) => {
      stopListening = onAbort(signal, reject);
      worker.on('message', (message: WorkerMessage) => {
        try {
          if (message.type === 'tested') onTested(message.file, message.result);
          else if (message.type === 'untested') onTested(message.file, fromErrorRecord(message.error));
          tested += 1;
        } catch (error) {
          reject(error);
        }
      });
      worker.on('error', (error) => reject(workerError('The test', error)));
      worker.on('exit', (code) =>
        tested === files.length ? resolve() : reject(workerError('The test', code)),
      );
    });
  } finally {
    stopListening();
    await worker.terminate();
  }
}
