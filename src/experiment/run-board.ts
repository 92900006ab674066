import { join } from 'node:path';
import { epochRecord } from '../results/epochs.js';
import type { Job, RunEvent } from '../results/records.js';
import type { Hyperparameter } from '../tensorboard/events.js';
import { type TensorBoard, type TrainingStatus, tensorBoard } from '../tensorboard/tensorboard.js';

/** What one model's files are written by. */
interface Written {
  readonly board: Promise<TensorBoard>;
  /** The epoch whose weights are saved; the last one until then. */
  epoch: number;
  status: TrainingStatus;
}

/**
 * Writes a run's models for TensorBoard, into a folder that is there, as its events come in: a folder for each model in one of
 * the run's. A model that starts, or goes on, begins a new file with all of its epochs and removes the one before, so no step is there twice.
 * Nothing waits for it, and a run does not fail by it.
 */
export class RunBoard {
  readonly #models = new Map<string, Written>();
  #jobs = new Map<string, Job>();
  #run = '';
  #names: readonly string[] = [];

  constructor(readonly folder: string) {}

  /** Says what events are of. */
  begin(run: string, jobs: readonly Job[], classNames: readonly string[]): void {
    this.#run = run;
    this.#jobs = new Map(jobs.map((job) => [job.id, job]));
    this.#names = classNames;
  }

  hear(event: RunEvent): void {
    if (event.type === 'start') this.#open(this.#jobs.get(event.job)!);
    const written = 'job' in event ? this.#models.get(event.job) : undefined;
    if (written === undefined) return;
    const write = (how: (board: TensorBoard) => void): void => {
      written.board.then(how, () => {});
    };
    if (event.type === 'start')
      write(({ onEpoch }) => {
        for (const own of event.finished) onEpoch({ ...own });
      });
    if (event.type === 'epoch') {
      written.epoch = event.epoch;
      const figures = { ...epochRecord(event) };
      write(({ onEpoch }) => onEpoch(figures));
    }
    if (event.type === 'saved') {
      written.epoch = event.kept.epoch;
      written.status = 'done';
    }
    if (event.type === 'failed') written.status = 'failed';
    if (event.type === 'test') {
      const { accuracy, precision, recall, macroF1, loss, confusion } = event;
      const figures = { accuracy, precision, recall, macro_f1: macroF1, loss };
      const tagged = Object.entries(figures).map(([name, value]) => [`test/${name}`, value]);
      write((board) => {
        board.scalars(written.epoch, Object.fromEntries(tagged));
        board.confusion(written.epoch, confusion, this.#names);
      });
    }
  }

  /** Writes what is left; returns a sentence when something could not be written. */
  async close(): Promise<string | null> {
    const ends = await Promise.allSettled(
      [...this.#models.values()].map(async ({ board, status }) => (await board).close(status)),
    );
    const failed = ends.find((end) => end.status === 'rejected');
    return failed === undefined ? null : String((failed.reason as Error).message);
  }

  #open(job: Job): void {
    const board = tensorBoard(join(this.folder, this.#run, job.id), {
      hyperparameters: hyperparametersOf(job),
      replace: true,
    });
    board.catch(() => {}); // It is told by `close`.
    this.#models.set(job.id, { board, epoch: job.epochs, status: 'interrupted' });
  }
}

function hyperparametersOf(job: Job): Record<string, Hyperparameter> {
  const { model, learningRate, schedule, pass, epochs, batchSize, seed, keep, augment, spec } = job;
  return {
    ...{ model, hidden: spec.hidden.join(', '), dropout: spec.dropout, learningRate, schedule },
    ...{ epochs, batchSize, seed, keep, pass, augment: augment !== null },
  };
}
