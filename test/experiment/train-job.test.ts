import { describe, expect, it } from 'vitest';
import type { Network, TensorKey, Tensors, Totals, TrainingState } from '../../dist/bindings/host.js';
import { type TrainingHooks, trainModel } from '../../dist/experiment/train-job.js';
import type { Job, RunEvent } from '../../dist/results/records.js';
import type { Checkpoint } from '../../dist/train/loop.js';
import { failure } from '../support/errors.js';

const spec = { inputs: 4, hidden: [3], classes: 2, dropout: 0.5 };
const indices = { train: Uint32Array.of(0, 1, 2, 3, 4), validation: Uint32Array.of(5, 6) };
const labels = Uint8Array.of(0, 1, 0, 1, 0, 0, 1);

function job(change: Partial<Job> = {}): Job {
  return {
    id: 'tiny_0.1',
    model: 'tiny',
    learningRate: 0.1,
    schedule: 'constant',
    pass: 1,
    spec,
    epochs: 3,
    batchSize: 2,
    augment: null,
    seed: 0,
    keep: 'best',
    build: 'simd',
    from: null,
    parent: null,
    ...change,
  };
}

/** Predictions of the two validation samples: both right, macro-F1 1; one right, 1/3. */
const GOOD = [0, 1];
const FAIR = [0, 0];

/** What the fake network is asked for an epoch of five samples in batches of two. */
const EPOCH = ['epoch 5', 'batch 0 2 0.1', 'batch 2 3 0.1'];
const BATCHES = 2;
/** What its batches add to the totals: a loss of 0.5 for each sample, and the very first sample is wrong. */
const FIRST_BATCH: Totals = { loss: 1, weight: 2, correct: 1, samples: 2 };

const NOTHING: Totals = { loss: 0, weight: 0, correct: 0, samples: 0 };

/** A network that answers as it is told and writes down what it was asked; its state carries the batches trained. */
class FakeNetwork {
  readonly calls: string[] = [];
  #batches = 0;
  #totals: Totals = NOTHING;

  constructor(
    readonly answers: {
      predictions: number[][];
      losses?: (epoch: number, first: number) => number;
      valLoss?: number;
      /** The value of the only parameter after so many batches. */
      parameter?: (batches: number) => number;
    },
  ) {}

  readonly training = {
    rows: { least: 2, most: 3 },
    resetOptimizer: (): void => {
      this.calls.push('reset');
    },
    begin: (order: Uint32Array, { totals = NOTHING }: { totals?: Totals } = {}): void => {
      this.#totals = { ...totals };
      this.calls.push(`epoch ${order.length}`);
    },
    step: (first: number, rows: number, rate: number): number => {
      this.calls.push(`batch ${first} ${rows} ${rate}`);
      const epoch = Math.floor(this.#batches / BATCHES) + 1;
      this.#batches += 1;
      this.training.batchesTracked = this.#batches;
      this.#totals.loss += 0.5 * rows;
      this.#totals.weight += rows;
      this.#totals.correct += first === 0 ? rows - 1 : rows;
      this.#totals.samples += rows;
      return this.answers.losses?.(epoch, first) ?? 0.5;
    },
    totals: (): Totals => ({ ...this.#totals }),
    tensors: (): Tensors =>
      new Map<TensorKey, Float32Array>([
        ['0.weight', Float32Array.of(this.answers.parameter?.(this.#batches) ?? 1)],
      ]),
    batchesTracked: 0,
    exportState: (): TrainingState => ({
      tensors: this.training.tensors(),
      optimizer: { steps: this.#batches, slots: [] },
      dropoutSteps: this.#batches,
      batchesTracked: this.#batches,
    }),
    importState: ({ batchesTracked }: TrainingState): void => {
      this.calls.push(`import ${batchesTracked}`);
      this.#batches = batchesTracked;
      this.training.batchesTracked = batchesTracked;
    },
  };

  admit(): number {
    return 1;
  }
  evaluate() {
    const predicted = Int32Array.from(this.answers.predictions[this.#batches / BATCHES - 1]!);
    return { loss: this.answers.valLoss ?? 0.25, predicted, outputs: null };
  }
  firstNonFinite(): string | null {
    return 'hidden block 1';
  }
}

/** Trains; the checkpoints are as they were when they were saved, whatever became of them. */
function train(fake: FakeNetwork, change: Partial<Job> = {}, hooks: TrainingHooks = {}) {
  const events: RunEvent[] = [];
  const saved: Checkpoint[] = [];
  const trained = trainModel(fake as unknown as Network, job(change), labels, indices, {
    emit: (event) => events.push(event),
    save: async (checkpoint) => {
      saved.push(structuredClone(checkpoint));
      fake.calls.push('save');
    },
    ...hooks,
  });
  return { trained, events, saved };
}

/** The checkpoint of a training that was stopped after so many batches of all its epochs. */
async function stoppedAfter(batches: number, predictions: number[][], change: Partial<Job> = {}) {
  const fake = new FakeNetwork({ predictions });
  const count = () => fake.calls.filter((call) => call.startsWith('batch')).length;
  const { trained, saved } = train(fake, change, { shouldStop: () => count() === batches });
  await failure('interrupted', () => trained);
  return saved.at(-1)!;
}

/** Figures without the time they took. */
const figures = (epochs: readonly { seconds: number }[]) => epochs.map((epoch) => ({ ...epoch, seconds: 0 }));

describe('trainModel', () => {
  it('starts Adam afresh, trains on every batch of every epoch and saves after each', async () => {
    const fake = new FakeNetwork({ predictions: [FAIR, FAIR] });
    await train(fake, { epochs: 2 }).trained;
    expect(fake.calls).toEqual(['reset', ...EPOCH, 'save', ...EPOCH, 'save']);
  });

  it('measures epochs by the clock it is given, also one that is stopped within', async () => {
    const clocked = async (shouldStop: (batches: number) => boolean, from: Checkpoint | null = null) => {
      const fake = new FakeNetwork({ predictions: [FAIR, FAIR] });
      const count = () => fake.calls.filter((call) => call.startsWith('batch')).length;
      // Only batches take time: a second each.
      const hooks = { from, now: () => 1000 * count(), shouldStop: () => shouldStop(count()) };
      const { trained, saved } = train(fake, { epochs: 2 }, hooks);
      return { trained, saved };
    };
    const whole = await clocked(() => false);
    expect((await whole.trained).epochs.map(({ seconds }) => seconds)).toEqual([2, 2]);
    const stopped = await clocked((batches) => batches === 3);
    await failure('interrupted', () => stopped.trained);
    const checkpoint = stopped.saved.at(-1)!;
    expect(checkpoint.stopped!.seconds).toBe(1);
    const resumed = await clocked(() => false, checkpoint);
    expect((await resumed.trained).epochs.map(({ seconds }) => seconds)).toEqual([2, 2]);
  });

  it('needs no hooks', async () => {
    const fake = new FakeNetwork({ predictions: [FAIR] });
    const { kept } = await trainModel(fake as unknown as Network, job({ epochs: 1 }), labels, indices);
    expect(kept.epoch).toBe(1);
  });

  it('records means of the training totals and the validation figures', async () => {
    const { trained, events } = train(new FakeNetwork({ predictions: [FAIR] }), { epochs: 1 });
    const [record] = (await trained).epochs;
    expect(record).toMatchObject({
      epoch: 1,
      trainLoss: 0.5,
      trainAccuracy: 0.8,
      valLoss: 0.25,
      valAccuracy: 0.5,
    });
    expect(record!.valMacroF1).toBeCloseTo(1 / 3, 12);
    expect(events[0]).toEqual({
      type: 'start',
      job: 'tiny_0.1',
      model: 'tiny',
      learningRate: 0.1,
      epochs: 1,
      stepsPerEpoch: 2,
      finished: [],
    });
    expect(events.at(-1)).toEqual({
      type: 'epoch',
      job: 'tiny_0.1',
      model: 'tiny',
      learningRate: 0.1,
      threads: 1,
      ...record,
    });
  });

  it('keeps the epoch with the best macro-F1, the earlier of equals, and the last weights beside it', async () => {
    const { kept, weights, last } = await train(new FakeNetwork({ predictions: [FAIR, GOOD, GOOD] })).trained;
    expect(kept).toEqual({ epoch: 2, valMacroF1: 1 });
    expect(weights.batchesTracked).toBe(4);
    expect(last.batchesTracked).toBe(6);
  });

  it('keeps the last epoch when asked', async () => {
    const fake = new FakeNetwork({ predictions: [GOOD, FAIR, FAIR] });
    const { kept, weights } = await train(fake, { keep: 'last' }).trained;
    expect(kept.epoch).toBe(3);
    expect(weights.batchesTracked).toBe(6);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY])(
    'reports a loss of %s with model, epoch, step and layer, and saves nothing of that epoch',
    async (bad) => {
      const losses = (epoch: number, first: number) => (epoch === 2 && first === 2 ? bad : 0.5);
      const { trained, saved } = train(new FakeNetwork({ predictions: [FAIR, FAIR, FAIR], losses }));
      const error = await failure('diverged', () => trained);
      for (const part of ['tiny', '0.1', `${bad}`, 'epoch 2', 'step 2', 'hidden block 1']) {
        expect(error.message).toContain(part);
      }
      expect(saved.map(({ epochs, stopped }) => [epochs.length, stopped])).toEqual([[1, null]]);
    },
  );

  it.each([Number.NaN, Number.POSITIVE_INFINITY])(
    "reports a parameter of %s at an epoch's end, and keeps nothing of that epoch",
    async (bad) => {
      const parameter = (batches: number) => (batches === 4 ? bad : 1);
      const { trained, saved } = train(new FakeNetwork({ predictions: [FAIR, FAIR, FAIR], parameter }));
      const error = await failure('diverged', () => trained);
      expect(error.message).toContain('a weight of layer 0');
      expect(error.message).toContain('epoch 2');
      expect(saved.map(({ epochs }) => epochs.length)).toEqual([1]);
    },
  );

  it('reports a validation loss that is not finite, and does not save it', async () => {
    const { trained, saved } = train(new FakeNetwork({ predictions: [FAIR], valLoss: Number.NaN }), {
      epochs: 1,
    });
    const error = await failure('diverged', () => trained);
    expect(error.message).toContain('validation loss');
    expect(saved).toEqual([]);
  });
});

describe('checkpoints', () => {
  it('hold the figures, the best weights so far and the state after each epoch', async () => {
    const { trained, saved } = train(new FakeNetwork({ predictions: [FAIR, GOOD, FAIR] }));
    const { epochs } = await trained;
    expect(saved).toHaveLength(3);
    saved.forEach((checkpoint, index) => {
      expect(checkpoint.epochs).toEqual(epochs.slice(0, index + 1));
      expect(checkpoint.stopped).toBeNull();
      expect(checkpoint.state.batchesTracked).toBe(2 * (index + 1));
    });
    expect(saved.map(({ best }) => [best!.epoch, best!.batchesTracked])).toEqual([
      [1, 2],
      [2, 4],
      [2, 4],
    ]);
  });

  it('share the best weights with the state while they are the same, so that they are stored once', async () => {
    const shared: boolean[] = [];
    const save = async ({ best, state }: Checkpoint) => {
      shared.push(best!.tensors === state.tensors);
    };
    await train(new FakeNetwork({ predictions: [FAIR, GOOD, FAIR] }), {}, { save }).trained;
    expect(shared).toEqual([true, true, false]);
  });

  it('are saved before the epoch is told', async () => {
    const order: string[] = [];
    await train(
      new FakeNetwork({ predictions: [FAIR, FAIR] }),
      { epochs: 2 },
      {
        emit: ({ type }) => order.push(type),
        save: async () => {
          await new Promise((resolve) => setTimeout(resolve, 5));
          order.push('saved');
        },
      },
    ).trained;
    expect(order).toEqual(['start', 'saved', 'epoch', 'saved', 'epoch']);
  });

  it('end the training with what saving them throws', async () => {
    const fake = new FakeNetwork({ predictions: [FAIR, FAIR, FAIR] });
    const save = () => Promise.reject(new Error('the disk is gone'));
    const { trained, events } = train(fake, {}, { save });
    await expect(trained).rejects.toThrow('the disk is gone');
    expect(fake.calls).toEqual(['reset', ...EPOCH]);
    expect(events.map(({ type }) => type)).toEqual(['start']);
  });

  it('are saved where a training is told to stop, before it says so', async () => {
    const fake = new FakeNetwork({ predictions: [FAIR] });
    const { trained, saved } = train(fake, {}, { shouldStop: () => fake.calls.length === 3 });
    const error = await failure('interrupted', () => trained);
    expect(error.message).toContain('epoch 1');
    expect(fake.calls).toEqual(['reset', 'epoch 5', 'batch 0 2 0.1', 'save']);
    expect(saved).toMatchObject([
      { epochs: [], best: null, stopped: { batches: 1, totals: FIRST_BATCH }, state: { dropoutSteps: 1 } },
    ]);
    expect(saved[0]!.stopped!.seconds).toBeGreaterThanOrEqual(0);
  });

  it('are not saved again where nothing has been trained since', async () => {
    expect(await stoppedAfter(0, [FAIR])).toBeUndefined();
  });
});

describe('a training that goes on', () => {
  it('after an epoch trains the others only, without Adam afresh', async () => {
    const predictions = [FAIR, FAIR, FAIR];
    const first = train(new FakeNetwork({ predictions }));
    await first.trained;
    const from = first.saved[0]!;
    const fake = new FakeNetwork({ predictions });
    const { trained, events } = train(fake, {}, { from });
    expect((await trained).epochs).toHaveLength(3);
    expect((await trained).epochs[0]).toEqual(from.epochs[0]);
    expect(fake.calls).toEqual(['import 2', ...EPOCH, 'save', ...EPOCH, 'save']);
    expect(events[0]).toMatchObject({ type: 'start', finished: from.epochs, epochs: 3, stepsPerEpoch: 2 });
    expect(events.filter(({ type }) => type === 'epoch')).toMatchObject([{ epoch: 2 }, { epoch: 3 }]);
  });

  it('within an epoch trains its other batches only, and its totals go on', async () => {
    const predictions = [FAIR, FAIR, FAIR];
    const whole = await train(new FakeNetwork({ predictions })).trained;
    const from = await stoppedAfter(3, predictions);
    expect(from).toMatchObject({ stopped: { batches: 1, totals: FIRST_BATCH }, state: { dropoutSteps: 3 } });
    const fake = new FakeNetwork({ predictions });
    const { epochs } = await train(fake, {}, { from }).trained;
    expect(fake.calls).toEqual(['import 3', 'epoch 5', 'batch 2 3 0.1', 'save', ...EPOCH, 'save']);
    expect(figures(epochs)).toEqual(figures(whole.epochs));
  });

  it('counts the seconds of an epoch from before it was stopped', async () => {
    const from = await stoppedAfter(1, [FAIR]);
    from.stopped!.seconds = 1000;
    const { epochs } = await train(new FakeNetwork({ predictions: [FAIR, FAIR, FAIR] }), {}, { from })
      .trained;
    expect(epochs[0]!.seconds).toBeGreaterThanOrEqual(1000);
    expect(epochs[1]!.seconds).toBeLessThan(1000);
  });

  it.each([0, 1, 2, 3, 4, 5])('after %i batches ends as one never stopped', async (batches) => {
    const predictions = [FAIR, GOOD, FAIR];
    const whole = await train(new FakeNetwork({ predictions })).trained;
    const from = await stoppedAfter(batches, predictions);
    const resumed = await train(new FakeNetwork({ predictions }), {}, { from }).trained;
    expect({ ...resumed, epochs: figures(resumed.epochs) }).toEqual({
      ...whole,
      epochs: figures(whole.epochs),
    });
  });

  it('can be stopped at every step of its way', async () => {
    const predictions = [FAIR, GOOD, FAIR];
    const whole = await train(new FakeNetwork({ predictions })).trained;
    let from: Checkpoint | null = null;
    for (let stop = 0; stop < 5; stop++) {
      const fake = new FakeNetwork({ predictions });
      const trainedOne = () => fake.calls.some((call) => call.startsWith('batch'));
      const part: ReturnType<typeof train> = train(fake, {}, { from, shouldStop: trainedOne });
      await failure('interrupted', () => part.trained);
      from = part.saved.at(-1)!;
    }
    const { trained } = train(new FakeNetwork({ predictions }), {}, { from });
    const resumed = await trained;
    expect({ ...resumed, epochs: figures(resumed.epochs) }).toEqual({
      ...whole,
      epochs: figures(whole.epochs),
    });
  });

  it('keeps the best epoch of before, and a better one of after', async () => {
    const from = await stoppedAfter(4, [GOOD, FAIR]);
    expect(from.best).toMatchObject({ epoch: 1, batchesTracked: 2 });
    const worse = train(new FakeNetwork({ predictions: [GOOD, FAIR, GOOD] }), {}, { from });
    expect(await worse.trained).toMatchObject({ kept: { epoch: 1 }, weights: { batchesTracked: 2 } });
    const fair = await stoppedAfter(4, [FAIR, FAIR]);
    const better = train(new FakeNetwork({ predictions: [FAIR, FAIR, GOOD] }), {}, { from: fair });
    expect(await better.trained).toMatchObject({ kept: { epoch: 3 }, weights: { batchesTracked: 6 } });
  });

  it('with all epochs finished returns at once what it was trained to', async () => {
    const predictions = [FAIR, GOOD, FAIR];
    const { trained, saved } = train(new FakeNetwork({ predictions }));
    const whole = await trained;
    const fake = new FakeNetwork({ predictions });
    const again = train(fake, {}, { from: saved.at(-1)!, shouldStop: () => true });
    expect(await again.trained).toEqual(whole);
    expect(again.events.map(({ type }) => type)).toEqual(['start']);
    expect(again.saved).toEqual([]);
    expect(fake.calls.some((call) => call.startsWith('batch') || call === 'reset')).toBe(false);
  });

  it('does not change the checkpoint it is given', async () => {
    const from = await stoppedAfter(3, [FAIR, FAIR]);
    const before = structuredClone(from);
    await train(new FakeNetwork({ predictions: [FAIR, FAIR, FAIR] }), {}, { from }).trained;
    expect(from).toEqual(before);
  });
});
