import {
  type Network,
  type Role,
  type TensorKey,
  type Tensors,
  type Totals,
  type TrainingState,
  TreadleError,
} from '#bindings';
import { type LearningRate, plateauPatience, rateAt } from './schedules.js';

/** Figures of one finished epoch, by the names of metrics/figures.ts. */
export type EpochFigures = { readonly epoch: number; readonly seconds: number } & Readonly<
  Record<string, number>
>;

/** Where an epoch was stopped. */
export interface StoppedEpoch {
  /** Batches of it that are trained. */
  batches: number;
  /** Sums over them. */
  totals: Totals;
  /** Time they took. */
  seconds: number;
}

/** A network's weights, with the batches that moved its running statistics. */
export interface Weights {
  tensors: Tensors;
  batchesTracked: number;
}

/** All that a training goes on from. Plain data. */
export interface Checkpoint {
  /** Figures of the finished epochs, in order. */
  epochs: EpochFigures[];
  /** Steps before now, since training began. */
  steps: number;
  /** The epoch after them, when it was stopped within; null between epochs. */
  stopped: StoppedEpoch | null;
  /** The epoch whose weights would be kept if training ended now, and those; null before the first has ended. */
  best: ({ epoch: number } & Weights) | null;
  state: TrainingState;
}

/** Where an epoch's batches come from. */
export interface BatchSource {
  /** Batches of an epoch; null where nobody knows. */
  readonly count: number | null;
  /** Starts an epoch (from 1), `skipped` batches into it, with the sums over those. */
  begin(epoch: number, skipped: number, totals: Totals | undefined): void | Promise<void>;
  /** One step: the batch's mean loss, or null where the epoch is over. */
  next(rate: number): number | null | Promise<number | null>;
  /** Lets go of what an epoch that was not finished holds open. */
  end?(): Promise<void>;
}

/** How a training runs. */
export interface LoopOptions {
  source: BatchSource;
  /** Epochs in all, those of a checkpoint included. */
  epochs: number;
  learningRate: LearningRate;
  /**
   * The share in the average of the weights that those after a step have, by the number of steps before it since training
   * began; null where no average is kept.
   */
  averageShare?: ((steps: number) => number) | null;
  /** Figures of the training part of an epoch, from its sums. */
  trainFigures(totals: Totals): Readonly<Record<string, number>>;
  /** Figures of the held-out samples; null where there are none. */
  validate: (() => Readonly<Record<string, number>> | Promise<Readonly<Record<string, number>>>) | null;
  /** Whether an epoch's figures beat those of the best before it. A tie stays with the earlier epoch. */
  isBetter(figures: EpochFigures, best: EpochFigures): boolean;
  /** Whose weights are kept: the best epoch's or the last one's. */
  keep: 'best' | 'last';
  /** Ends training when this many epochs in a row were not better than the best; null: never. */
  patience: number | null;
  /** Asked before each step; true stops the training. */
  shouldStop?: () => boolean;
  /** Called after each step. */
  onStep?: (step: {
    epoch: number;
    step: number;
    steps: number | null;
    loss: number;
    rows: number;
    rate: number;
  }) => void;
  /**
   * Keeps a checkpoint: after every epoch, and where `shouldStop` stops one within. Training waits for it, and then writes
   * into the arrays of the state anew.
   */
  save?: (checkpoint: Checkpoint) => Promise<void>;
  /** Where an equal training stood; it goes on to the bytes of one never stopped. */
  from?: Checkpoint | null;
  /** Lets other work of the thread run; called now and then. */
  breathe?: () => Promise<void>;
  /** Asked after each step; true calls `breathe` at once, which then waits. */
  isPaused?: () => boolean;
  /** What the training is called in errors. */
  title: string;
  /** What tells its errors apart: their `subject`. */
  subject: string;
  /** Milliseconds from any moment on. Default: performance.now. */
  clock?: () => number;
}

/** How a training ended. */
export interface LoopResult {
  epochs: EpochFigures[];
  /** The epoch whose weights are kept. */
  kept: number;
  /** Its weights, and those after the last epoch. */
  weights: Weights;
  last: Weights;
  /** Why it ended. */
  ended: 'epochs' | 'patience';
  checkpoint: Checkpoint;
}

/** Least time between two breaths, in milliseconds: shorter than a frame of a page. */
const BREATH = 12;

/**
 * Trains a network epoch by epoch; yields the figures of each and returns the result. It starts from the network's present
 * state or from a checkpoint. Throws `diverged` when a loss, or any parameter or statistic at an epoch's end, is NaN or
 * infinite, `interrupted` when `shouldStop` says so, and whatever `validate` and `save` throw.
 */
export async function* trainLoop(
  network: Network,
  options: LoopOptions,
): AsyncGenerator<EpochFigures, LoopResult> {
  const { source, epochs, learningRate, validate, isBetter, keep, patience, from = null } = options;
  const { shouldStop = () => false, save, breathe, clock = () => performance.now() } = options;
  const { training } = network;
  const done: EpochFigures[] = from === null ? [] : [...from.epochs];
  let best = from?.best ?? null;
  let stopped = from?.stopped ?? null;
  let state = from?.state;
  let weights = from?.state.tensors;
  let steps = from?.steps ?? 0;
  if (state !== undefined) training.importState(state);
  let breath = clock();
  let ended: LoopResult['ended'] = 'epochs';

  for (let epoch = done.length + 1; epoch <= epochs; epoch++) {
    if (patience !== null && best !== null && done.length - best.epoch >= patience) {
      ended = 'patience';
      break;
    }
    const started = clock() - (stopped?.seconds ?? 0) * 1000;
    const skipped = stopped?.batches ?? 0;
    await source.begin(epoch, skipped, stopped?.totals);
    const lowered = timesLowered(done, learningRate, isBetter);
    const total = source.count === null ? Number.POSITIVE_INFINITY : source.count * epochs;
    let batch = skipped;
    for (;;) {
      // An epoch whose batches are all trained is closed first.
      if ((source.count === null || batch < source.count) && shouldStop()) {
        const seconds = (clock() - started) / 1000;
        stopped = { batches: batch, totals: training.totals(), seconds };
        state = training.exportState({ ...state, tensors: reusable(weights, best) });
        if (batch > skipped) await save?.({ epochs: done, steps, stopped, best, state });
        throw interrupted(options, epoch);
      }
      const rate = rateAt(learningRate, { step: steps, epoch: epoch - 1, steps: total, epochs, lowered });
      if (options.averageShare) training.averageBy(options.averageShare(steps));
      const before = training.totals().samples;
      const result = source.next(rate);
      const loss = result instanceof Promise ? await result : result;
      if (loss === null) break;
      batch++;
      steps++;
      if (!Number.isFinite(loss)) throw diverged(network, options, 'loss', loss, epoch, batch);
      const rows = training.totals().samples - before;
      options.onStep?.({ epoch, step: batch, steps: source.count, loss, rows, rate });
      if (breathe !== undefined && (clock() - breath >= BREATH || options.isPaused?.())) {
        await breathe();
        breath = clock();
      }
    }
    stopped = null;
    const trainFigures = options.trainFigures(training.totals());
    const valFigures = validate === null ? {} : await validate();
    for (const [name, value] of Object.entries(valFigures)) {
      if (name === 'valLoss' && !Number.isFinite(value)) {
        throw diverged(network, options, 'validation loss', value, epoch, batch);
      }
    }
    const figures: EpochFigures = {
      epoch,
      ...trainFigures,
      ...valFigures,
      seconds: (clock() - started) / 1000,
    };
    if (save === undefined) weights = training.tensors(reusable(weights, best));
    else {
      state = training.exportState({ ...state, tensors: reusable(weights, best) });
      weights = state.tensors;
    }
    const { batchesTracked } = training;
    const wrong = firstNonFinite(weights);
    if (wrong !== null) throw divergedTensor(options, wrong, weights.get(wrong)!, epoch, batch);
    done.push(figures);
    if (keep === 'last' || best === null || isBetter(figures, done[best.epoch - 1]!)) {
      best = { epoch, tensors: weights, batchesTracked };
    }
    await save?.({ epochs: done, steps, stopped, best, state: state! });
    yield figures;
  }

  // Without anybody to keep it the state has not been read since training began.
  if (save === undefined)
    state = { ...training.exportState({ ...state, tensors: weights }), tensors: weights! };
  return {
    epochs: done,
    kept: best!.epoch,
    weights: { tensors: best!.tensors, batchesTracked: best!.batchesTracked },
    last: { tensors: weights!, batchesTracked: state!.batchesTracked },
    ended,
    checkpoint: { epochs: done, steps, stopped: null, best, state: state! },
  };
}

/** The arrays of the copy before, which large models need not have twice; the best weights' are kept. */
function reusable(weights: Tensors | undefined, best: Checkpoint['best']): Tensors | undefined {
  return weights === best?.tensors ? undefined : weights;
}

/** Times that a plateau has lowered the rate by now: the epochs are gone through once more, so that nothing is kept. */
function timesLowered(
  epochs: readonly EpochFigures[],
  learningRate: LearningRate,
  isBetter: LoopOptions['isBetter'],
): number {
  const patience = plateauPatience(learningRate);
  if (patience === null) return 0;
  let lowered = 0;
  let best = 0;
  let since = 0;
  epochs.forEach((figures, index) => {
    if (index === 0 || isBetter(figures, epochs[best]!)) {
      best = index;
      since = 0;
    } else if (++since >= patience) {
      lowered++;
      since = 0;
    }
  });
  return lowered;
}

/** The key of a tensor that has NaN or infinity in it; null where there is none. */
export function firstNonFinite(tensors: Tensors): TensorKey | null {
  for (const [key, values] of tensors) {
    // x - x is 0 for a finite x and NaN for others, and so is their sum.
    let sum = 0;
    for (let at = 0; at < values.length; at++) sum += values[at]! - values[at]!;
    if (sum !== 0) return key;
  }
  return null;
}

function interrupted({ title, subject }: LoopOptions, epoch: number): TreadleError {
  return new TreadleError('interrupted', `${title} was stopped in epoch ${epoch}.`, { subject });
}

function diverged(
  network: Network,
  { title, subject }: LoopOptions,
  quantity: string,
  found: number,
  epoch: number,
  step: number,
): TreadleError {
  const layer = network.firstNonFinite();
  const where =
    layer === null
      ? 'the outputs of all layers are finite'
      : `${layer} is the first whose output is not finite`;
  return new TreadleError(
    'diverged',
    `${title}: the ${quantity} became ${found} at epoch ${epoch}, step ${step} (${where}); a finite loss is expected, so try a lower learning rate.`,
    { subject, found, expected: 'a finite loss' },
  );
}

/** What the roles of tensors are called in sentences. */
const ROLE_NAMES: Readonly<Record<Role, string>> = {
  weight: 'a weight',
  bias: 'a bias',
  gamma: "BatchNorm's gamma",
  beta: "BatchNorm's beta",
  runningMean: 'the running mean',
  runningVar: 'the running variance',
  mean: 'a mean',
  deviation: 'a deviation',
};

function divergedTensor(
  { title, subject }: LoopOptions,
  key: TensorKey,
  values: Float32Array,
  epoch: number,
  step: number,
): TreadleError {
  const [layer, role] = key.split('.') as [string, Role];
  const found = values.find((value) => !Number.isFinite(value))!;
  return new TreadleError(
    'diverged',
    `${title}: ${ROLE_NAMES[role]} of layer ${layer} became ${found} by the end of epoch ${epoch}, step ${step}; a finite value is expected, so try a lower learning rate.`,
    { subject, found, expected: 'a finite value' },
  );
}
