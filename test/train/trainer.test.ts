import { describe, expect, it } from 'vitest';
import type { Network, NetworkTensors } from '../../dist/bindings/index.js';
import type { Job, RunEvent } from '../../dist/records.js';
import { trainModel } from '../../dist/train/trainer.js';
import { failure } from '../support/errors.js';

const spec = { inputs: 4, hidden: [3], classes: 2, dropout: 0.5 };
const indices = { train: Uint32Array.of(0, 1, 2, 3, 4), validation: Uint32Array.of(5, 6) };

function job(change: Partial<Job> = {}): Job {
  return {
    id: 'tiny_0.1',
    model: 'tiny',
    learningRate: 0.1,
    spec,
    epochs: 3,
    batchSize: 2,
    seed: 0,
    keep: 'best',
    build: 'simd',
    parent: null,
    ...change,
  };
}

/** Confusion matrices of two samples: both right, macro-F1 1; one right, 1/3; both wrong, 0. */
const GOOD = [
  [1, 0],
  [0, 1],
];
const FAIR = [
  [1, 0],
  [1, 0],
];

/** A network that answers as it is told and writes down what it was asked; its tensors carry the epoch. */
class FakeNetwork {
  readonly calls: string[] = [];
  readonly threads = 1;
  epoch = 0;

  constructor(
    readonly answers: {
      confusions: number[][][];
      losses?: (epoch: number, first: number) => number;
      valLoss?: number;
    },
  ) {}

  resetOptimizer(): void {
    this.calls.push('reset');
  }
  beginEpoch(order: Uint32Array, learningRate: number): void {
    this.epoch += 1;
    this.calls.push(`epoch ${order.length} ${learningRate}`);
  }
  trainBatch(first: number, rows: number): number {
    this.calls.push(`batch ${first} ${rows}`);
    return this.answers.losses?.(this.epoch, first) ?? 0.5;
  }
  totals() {
    return { loss: 10, correct: 4, samples: 5 };
  }
  evaluate() {
    return { loss: this.answers.valLoss ?? 0.25, confusion: this.answers.confusions[this.epoch - 1]! };
  }
  exportTensors(): NetworkTensors {
    return { dense: [], batchNorm: [], batchesTracked: this.epoch };
  }
  firstNonFinite(): string | null {
    return 'hidden block 1';
  }
}

function train(fake: FakeNetwork, change: Partial<Job> = {}, shouldStop = () => false) {
  const events: RunEvent[] = [];
  const trained = trainModel(
    fake as unknown as Network,
    job(change),
    indices,
    (event) => events.push(event),
    shouldStop,
  );
  return { trained, events };
}

describe('trainModel', () => {
  it('starts Adam afresh and trains on every batch of every epoch', () => {
    const fake = new FakeNetwork({ confusions: [FAIR, FAIR] });
    train(fake, { epochs: 2 });
    const epoch = ['epoch 5 0.1', 'batch 0 2', 'batch 2 3'];
    expect(fake.calls).toEqual(['reset', ...epoch, ...epoch]);
  });

  it('records means of the training totals and the validation figures', () => {
    const { trained, events } = train(new FakeNetwork({ confusions: [FAIR] }), { epochs: 1 });
    const [record] = trained.epochs;
    expect(record).toMatchObject({
      epoch: 1,
      trainLoss: 2,
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

  it('keeps the epoch with the best macro-F1, the earlier of equals, and the last weights beside it', () => {
    const { trained } = train(new FakeNetwork({ confusions: [FAIR, GOOD, GOOD] }));
    expect(trained.kept).toEqual({ epoch: 2, valMacroF1: 1 });
    expect(trained.tensors.batchesTracked).toBe(2);
    expect(trained.last.batchesTracked).toBe(3);
  });

  it('keeps the last epoch when asked', () => {
    const { trained } = train(new FakeNetwork({ confusions: [GOOD, FAIR, FAIR] }), { keep: 'last' });
    expect(trained.kept.epoch).toBe(3);
    expect(trained.tensors.batchesTracked).toBe(3);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY])(
    'reports a loss of %s with model, epoch, step and layer',
    async (bad) => {
      const losses = (epoch: number, first: number) => (epoch === 2 && first === 2 ? bad : 0.5);
      const error = await failure('diverged', () =>
        train(new FakeNetwork({ confusions: [FAIR, FAIR, FAIR], losses })),
      );
      for (const part of ['tiny', '0.1', `${bad}`, 'epoch 2', 'step 2', 'hidden block 1']) {
        expect(error.message).toContain(part);
      }
    },
  );

  it('reports a validation loss that is not finite', async () => {
    const fake = new FakeNetwork({ confusions: [FAIR], valLoss: Number.NaN });
    const error = await failure('diverged', () => train(fake, { epochs: 1 }));
    expect(error.message).toContain('validation loss');
  });

  it('stops before the next step when told to', async () => {
    const fake = new FakeNetwork({ confusions: [FAIR] });
    await failure('interrupted', () => train(fake, {}, () => fake.calls.length === 3));
    expect(fake.calls).toEqual(['reset', 'epoch 5 0.1', 'batch 0 2']);
  });
});
