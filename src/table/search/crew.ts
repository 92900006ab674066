import { TreadleError } from '#bindings';
import { openWorker } from '../../create.js';
import type { Data } from '../../model/options.js';
import type { PartData } from './parts.js';
import type { Placed, SearchWorker } from './trial.js';

/** Times that a task whose thread died is started again. */
const MAX_RESTARTS = 2;

/** A place at which one training after another runs: this thread, or a worker, which holds the data of one part at a time. */
class Seat {
  #worker: SearchWorker = null;
  #part: number | null = null;
  #placed: Placed | null = null;
  #release: () => void = () => {};

  constructor(readonly isWorker: boolean) {}

  get worker(): SearchWorker {
    return this.#worker;
  }

  /** The data of a part where this seat trains on them. */
  async place(part: number, data: PartData): Promise<Placed> {
    if (!this.isWorker) return data;
    if (this.#part === part && this.#placed !== null) return this.#placed;
    this.#release();
    this.#worker ??= openWorker();
    const { train, validation, scored } = data;
    const [held, checked] = [await this.#worker.hold(train), await this.#worker.hold(validation)];
    const tested = scored === validation ? checked : await this.#worker.hold(scored);
    this.#release = () => {
      for (const one of new Set([held, checked, tested])) one.release();
    };
    this.#part = part;
    // A worker's models take what it holds in place of data.
    const asData = (one: object) => one as unknown as Data;
    this.#placed = { train: asData(held), validation: asData(checked), scored: asData(tested) };
    return this.#placed;
  }

  close(): void {
    this.#worker?.dispose();
    this.#worker = null;
    this.#part = null;
    this.#placed = null;
    this.#release = () => {};
  }
}

/** One training, on a part. */
export interface Task {
  part: number;
}

/** Runs tasks side by side: one at a time in this thread or, for several jobs, each in a worker of its own. */
export class Crew {
  readonly #seats: Seat[];
  readonly #onWarning: (message: string) => void;

  constructor(jobs: number, onWarning: (message: string) => void) {
    this.#seats = Array.from({ length: jobs }, () => new Seat(jobs > 1));
    this.#onWarning = onWarning;
  }

  /**
   * Does the tasks, which start in their order; `encode` gives the data of a part, which are kept until its last task is done.
   * A task whose thread dies is done again, twice at most. Rejects with the first failure once nothing runs any more.
   */
  async run<One extends Task>(
    tasks: readonly One[],
    encode: (part: number) => PartData,
    work: (task: One, data: PartData, placed: Placed, worker: SearchWorker) => Promise<void>,
  ): Promise<void> {
    const parts = new Map<number, { data: PartData; left: number }>();
    const left = (part: number) => tasks.filter((task) => task.part === part).length;
    let next = 0;
    let failed: { error: unknown } | null = null;
    const attend = async (seat: Seat): Promise<void> => {
      while (next < tasks.length && failed === null) {
        const task = tasks[next++]!;
        try {
          let part = parts.get(task.part);
          if (part === undefined) {
            part = { data: encode(task.part), left: left(task.part) };
            parts.set(task.part, part);
          }
          await this.#attempt(seat, task, part.data, work);
          if (--part.left === 0) parts.delete(task.part);
        } catch (error) {
          failed ??= { error };
        }
      }
    };
    await Promise.all(this.#seats.slice(0, tasks.length).map(attend));
    if (failed !== null) throw (failed as { error: unknown }).error;
  }

  /** Ends the threads. */
  close(): void {
    for (const seat of this.#seats) seat.close();
  }

  async #attempt<One extends Task>(
    seat: Seat,
    task: One,
    data: PartData,
    work: (task: One, data: PartData, placed: Placed, worker: SearchWorker) => Promise<void>,
  ): Promise<void> {
    for (let restarts = 0; ; restarts++) {
      try {
        const placed = await seat.place(task.part, data);
        await work(task, data, placed, seat.worker);
        return;
      } catch (error) {
        const isDead = error instanceof TreadleError && error.code === 'worker';
        if (!isDead || restarts === MAX_RESTARTS) throw error;
        seat.close();
        this.#onWarning(
          `${error.message} The training is started again (${restarts + 1} of ${MAX_RESTARTS} times).`,
        );
      }
    }
  }
}
