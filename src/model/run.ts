import { TreadleError } from '#bindings';
import type { EpochFigures } from '../train/loop.js';

/**
 * A training that goes on: `await` it for its result, or iterate over it with `for await` for the figures of each epoch,
 * in which case the next epoch is trained when it is asked for. It begins by itself unless it is iterated at once.
 */
export class FitRun<Result> implements PromiseLike<Result>, AsyncIterable<EpochFigures> {
  readonly #epochs: AsyncGenerator<EpochFigures, Result>;
  readonly #result: Promise<Result>;
  #resolve!: (result: Result) => void;
  #reject!: (reason: unknown) => void;
  #iterated = false;

  constructor(epochs: AsyncGenerator<EpochFigures, Result>) {
    this.#epochs = epochs;
    this.#result = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    queueMicrotask(() => {
      if (!this.#iterated) void this.#drain();
    });
  }

  // biome-ignore lint/suspicious/noThenProperty: a run is awaited for its result
  then<A = Result, B = never>(
    onFulfilled?: ((result: Result) => A | PromiseLike<A>) | null,
    onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.#result.then(onFulfilled, onRejected);
  }

  /** As a promise's. */
  catch<B = never>(onRejected: (reason: unknown) => B | PromiseLike<B>): Promise<Result | B> {
    return this.#result.catch(onRejected);
  }

  /** As a promise's. */
  finally(onFinally: () => void): Promise<Result> {
    return this.#result.finally(onFinally);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<EpochFigures, Result> {
    this.#iterated = true;
    // An error reaches the caller through the iteration; here it would be an unhandled rejection besides.
    this.#result.catch(() => {});
    try {
      const result = yield* this.#epochs;
      this.#resolve(result);
      return result;
    } catch (error) {
      this.#reject(error);
      throw error;
    } finally {
      // Nothing happens here once the run has ended; left early, it ends as one that was stopped.
      this.#reject(
        new TreadleError('interrupted', 'The training was left before it was finished.', {
          subject: 'model',
        }),
      );
    }
  }

  async #drain(): Promise<void> {
    try {
      for (;;) {
        const next = await this.#epochs.next();
        if (next.done) {
          this.#resolve(next.value);
          return;
        }
      }
    } catch (error) {
      this.#reject(error);
    }
  }
}
