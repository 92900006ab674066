import { type ModelSpec, TreadleError } from '#bindings';
import { createModel, type openWorker } from '../../create.js';
import type { ModelCheckpoint } from '../../formats/checkpoint-bytes.js';
import type { ModelOptions } from '../../model/create.js';
import type { Evaluation } from '../../model/evaluation.js';
import type { History } from '../../model/model.js';
import type { Data, FitOptions } from '../../model/options.js';
import type { EpochFigures } from '../../train/loop.js';
import type { TrialStore } from './store.js';

/** Samples where they are trained on: in this thread, or held by a worker. */
export type Placed = Readonly<Record<'train' | 'validation' | 'scored', Data>>;

/** A thread that trains; null for this one. */
export type SearchWorker = ReturnType<typeof openWorker> | null;

/** A training of a network, up to a number of epochs and from where it stood. */
export interface Trial {
  /** Unique in the search. */
  id: string;
  spec: ModelSpec;
  seed: number;
  fit: FitOptions & { epochs: number };
  /** Epochs after which it stops for now. */
  until: number;
}

/** How trials run. */
export interface TrialContext {
  store: TrialStore;
  model: ModelOptions;
  signal?: FitOptions['signal'];
  onStart: (trial: Trial, finished: number) => void;
  onEpoch: (trial: Trial, figures: EpochFigures) => void;
}

/** What a trial came to. */
export interface TrialOutcome {
  epochs: EpochFigures[];
  kept: number;
  ended: 'epochs' | 'patience' | 'halved';
  /** Of the best epoch's weights. */
  scores: Evaluation;
  /** The model with them, as `model.save()` gives it. */
  bytes: Uint8Array;
}

type Fit = (more: FitOptions) => AsyncIterable<EpochFigures> & PromiseLike<History>;

/**
 * Trains a network up to `until` epochs, from its checkpoint in the store where there is one, and scores its best epoch's
 * weights. Stopped by the signal it leaves a checkpoint and rejects with `interrupted`; otherwise it rejects as `fit`. The same
 * arguments give the same bytes wherever it runs, and however often it was stopped.
 */
export async function runTrial(
  trial: Trial,
  data: Placed,
  worker: SearchWorker,
  context: TrialContext,
): Promise<TrialOutcome> {
  const { spec, seed, fit } = trial;
  const own = { ...context.model, seed };
  const model = await (worker === null ? createModel(spec, own) : createModel(spec, { ...own, worker }));
  try {
    const run: Fit = (more) => model.fit(data.train, { ...fit, ...more, validation: data.validation });
    const history = await trainUntil(trial, run, context);
    const scores = await model.evaluate(data.scored);
    return { ...history, scores, bytes: await model.save() };
  } finally {
    model.dispose();
  }
}

async function trainUntil(
  trial: Trial,
  fit: Fit,
  context: TrialContext,
): Promise<Pick<TrialOutcome, 'epochs' | 'kept' | 'ended'>> {
  const { id, until } = trial;
  const begun = await context.store.checkpoint(id);
  const keeper = new Keeper(trial, context.store, begun);
  const finished = begun?.training.epochs.length ?? 0;
  context.onStart(trial, finished);
  if (finished < until) {
    const run = fit({
      ...(begun !== null && { checkpoint: begun }),
      ...(context.signal && { signal: context.signal }),
      ...keeper.options,
    });
    try {
      let isOver = true;
      for await (const figures of run) {
        context.onEpoch(trial, figures);
        if (figures.epoch < until || until >= trial.fit.epochs) continue;
        isOver = false;
        break;
      }
      if (isOver) {
        const { epochs, best, ended } = await run;
        return { epochs, kept: best, ended };
      }
    } catch (error) {
      if (error instanceof TreadleError && error.code === 'interrupted') await keeper.flush();
      throw error;
    }
  }
  // With no epoch left to train, a fit takes the best weights of its checkpoint, and that is all.
  const { latest } = keeper;
  const { epochs, best } = await fit({ checkpoint: latest!, epochs: latest!.training.epochs.length });
  return { epochs, kept: best, ended: 'halved' };
}

/** Keeps a training's checkpoints: now and then, and the one where it stops. */
class Keeper {
  latest: ModelCheckpoint | null;
  readonly options: FitOptions;
  #kept = performance.now();
  #isKept = true;

  constructor(
    readonly trial: Trial,
    readonly store: TrialStore,
    begun: ModelCheckpoint | null,
  ) {
    this.latest = begun;
    // A checkpoint is a copy of everything: it is made only for those who go on from it.
    const isNeeded = trial.until < trial.fit.epochs || Number.isFinite(store.every);
    this.options = isNeeded ? { onCheckpoint: (checkpoint) => this.#hear(checkpoint) } : {};
  }

  /** Keeps the latest checkpoint, unless it has been. */
  async flush(): Promise<void> {
    if (this.latest === null || this.#isKept) return;
    await this.store.keepCheckpoint(this.trial.id, this.latest);
    this.#isKept = true;
    this.#kept = performance.now();
  }

  async #hear(checkpoint: ModelCheckpoint): Promise<void> {
    this.latest = checkpoint;
    this.#isKept = false;
    const isLast = checkpoint.training.epochs.length >= this.trial.until;
    if (isLast || performance.now() - this.#kept >= this.store.every) await this.flush();
  }
}
