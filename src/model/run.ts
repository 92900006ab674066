import { TreadleError } from '#bindings';
import type { EpochFigures } from '../train/loop.js';

/** Where a training waits while it is paused. */
export class Gate {
  #opened: Promise<void> | null = null;
  #open: () => void = () => {};
  #over = false;
  /** Called when it is closed (true) and opened again (false). */
  onChange: (isPaused: boolean) => void = () => {};

  get paused(): boolean {
    return this.#opened !== null;
  }

  pause(): void {
    if (this.#opened !== null || this.#over) return;
    this.#opened = new Promise((resolve) => {
      this.#open = resolve;
    });
    this.onChange(true);
  }

  resume(): void {
    if (this.#opened === null) return;
    this.#opened = null;
    this.#open();
    this.onChange(false);
  }

  /** Opens it for good: a training that has been told to stop does not wait any more. */
  end(): void {
    this.#over = true;
    this.resume();
  }

  /** Resolves when it is open. */
  async passed(): Promise<void> {
    while (this.#opened !== null) await this.#opened;
  }
}

/**
 * A training that goes on: `await` it for its result, or iterate over it with `for await` for the figures of each epoch,
 * in which case the next epoch is trained when it is asked for. It begins by itself unless it is iterated at once; iterated
 * later, it gives the epochs that are still to come.
 *
 * @example for await (const { epoch, valLoss } of model.fit(data, options)) console.log(epoch, valLoss);
 */
export class FitRun<Result> implements PromiseLike<Result>, AsyncIterable<EpochFigures> {
  readonly #epochs: AsyncGenerator<EpochFigures, Result>;
  readonly #gate: Gate;
  readonly #result: Promise<Result>;
  #resolve!: (result: Result) => void;
  #reject!: (reason: unknown) => void;
  #iterated = false;

  constructor(epochs: AsyncGenerator<EpochFigures, Result>, gate: Gate) {
    this.#epochs = epochs;
    this.#gate = gate;
    this.#result = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    queueMicrotask(() => {
      if (!this.#iterated) void this.#drain();
    });
  }

  /** Whether it is paused. */
  get paused(): boolean {
    return this.#gate.paused;
  }

  /** Lets training wait after its present step, until {@link resume}. Models predict meanwhile as they are. */
  pause(): void {
    this.#gate.pause();
  }

  /** Lets it go on. */
  resume(): void {
    this.#gate.resume();
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
      // Whoever iterates later asks for the epochs that are left.
      while (!this.#iterated) {
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
