import { describe, expect, it } from 'vitest';
import {
  createModel,
  decodeCheckpoint,
  type EpochFigures,
  encodeCheckpoint,
  type FitOptions,
  type ModelCheckpoint,
  type Optimizer,
  type Schedule,
  TreadleError,
} from '../../dist/index.js';
import { failure } from '../support/errors.js';
import { points, small, smallModel, stripes, trained } from './support.js';

// What `fit` promises: that it learns, that it gives the same bytes again, how it ends, and how it goes on.

const data = stripes(90, 1);
const NAMES = ['left', 'middle', 'right'];

describe('fit learns', () => {
  it('classes that are numbers', async () => {
    const model = await smallModel(3);
    const history = await model.fit(data, { epochs: 40 });
    expect(history.decisions).toMatchObject({ task: 'classification', samples: 90, validationSamples: 0 });
    expect(history.epochs.at(-1)!.trainLoss).toBeLessThan(history.epochs[0]!.trainLoss! / 2);
    expect(model.evaluate(stripes(200, 2))).toMatchObject({ task: 'classification', samples: 200 });
    const fresh = stripes(200, 2);
    const right = model.predict(fresh.x).filter((label, row) => label === fresh.y[row]).length;
    expect(right).toBeGreaterThan(170);
    model.dispose();
  });

  it('classes that are names, in the order of the names', async () => {
    const model = await smallModel(3);
    const named = { x: data.x, y: data.y.map((label) => NAMES[label]!) };
    const { decisions } = await model.fit(named, { epochs: 100 });
    expect(decisions.classes).toEqual(['left', 'middle', 'right']);
    expect(
      model.predict([
        [0.05, 0.5],
        [0.5, 0.5],
        [0.95, 0.5],
      ]),
    ).toEqual(NAMES);
    // Names say the same as their indices.
    const numbered = await smallModel(3);
    await numbered.fit(data, { epochs: 100 });
    expect(numbered.tensors()).toEqual(model.tensors());
  });

  it('several labels', async () => {
    const labels = points(120, 3, (a, b) => [Number(a > 0.5), Number(b > 0.5)]);
    const model = await smallModel(2);
    const { decisions } = await model.fit(labels, { epochs: 60 });
    expect(decisions).toMatchObject({ task: 'multilabel', loss: { type: 'binaryCrossEntropy' } });
    const corners = [
      [0.1, 0.1],
      [0.1, 0.9],
      [0.9, 0.1],
      [0.9, 0.9],
    ];
    expect(model.predict(corners)).toEqual([
      [0, 0],
      [0, 1],
      [1, 0],
      [1, 1],
    ]);
    const { task, ...scores } = model.evaluate(labels);
    expect(task).toBe('multilabel');
    expect(scores).toHaveProperty('subsetAccuracy');
  });

  it('one label, of which it says 0 or 1', async () => {
    const label = points(120, 3, (a) => a > 0.5);
    const model = await smallModel(1);
    await model.fit(label, { epochs: 60 });
    expect(
      model.predict([
        [0.1, 0.5],
        [0.9, 0.5],
      ]),
    ).toEqual([0, 1]);
  });

  it('one number', async () => {
    const numbers = points(150, 4, (a, b) => 100 + 20 * a - 10 * b);
    const model = await smallModel(1);
    const { decisions } = await model.fit(numbers, { epochs: 60 });
    expect(decisions).toMatchObject({ task: 'regression', loss: { type: 'squaredError' } });
    expect(model.evaluate(numbers)).toMatchObject({ task: 'regression', r2: expect.closeTo(1, 1) });
    const [predicted] = model.predict([[0.5, 0.5]]);
    expect(Math.abs((predicted as number) - 105)).toBeLessThan(1.5);
  });

  it('several numbers', async () => {
    const numbers = points(150, 4, (a, b) => [a + b, 1000 * a, -b]);
    const model = await smallModel(3);
    await model.fit(numbers, { epochs: 80 });
    expect(model.evaluate(numbers)).toMatchObject({ task: 'regression', r2: expect.closeTo(1, 1) });
    expect(model.predict([[0.25, 0.5]])).toEqual([
      [expect.closeTo(0.75, 0), expect.any(Number), expect.closeTo(-0.5, 0)],
    ]);
  });
});

describe('the same call gives the same bytes', () => {
  const spec = { norm: true, dropout: 0.2 };
  const options: FitOptions = { epochs: 5, batchSize: 16, validation: 0.25, classWeights: 'balanced' };

  it('with the same seed, and others with another', async () => {
    const bytes: Buffer[] = [];
    for (const seed of [3, 3, 4]) {
      const model = await createModel(small(3, spec), { seed });
      bytes.push(trained(model, await model.fit(data, options)));
    }
    expect(bytes[1]!.equals(bytes[0]!)).toBe(true);
    expect(bytes[2]!.equals(bytes[0]!)).toBe(false);
  });

  it("with a seed of the fit's own, which draws the order and the held-out samples", async () => {
    const bytes: Buffer[] = [];
    for (const seed of [7, 7, 8]) {
      const model = await smallModel(3, spec);
      bytes.push(trained(model, await model.fit(data, { ...options, seed })));
    }
    expect(bytes[1]!.equals(bytes[0]!)).toBe(true);
    expect(bytes[2]!.equals(bytes[0]!)).toBe(false);
  });

  it('awaited, by callbacks and with for await', async () => {
    const awaited = await smallModel(3, spec);
    const heard: EpochFigures[] = [];
    const steps: string[] = [];
    const history = await awaited.fit(data, {
      ...options,
      onEpoch: (figures) => heard.push(figures),
      onStep: ({ epoch, step, steps: all }) => steps.push(`${epoch}:${step}/${all}`),
    });
    expect(heard).toEqual(history.epochs);
    expect(steps).toHaveLength(5 * 5);
    expect(steps.slice(0, 6)).toEqual(['1:1/5', '1:2/5', '1:3/5', '1:4/5', '1:5/5', '2:1/5']);

    const iterated = await smallModel(3, spec);
    const run = iterated.fit(data, options);
    const seen: EpochFigures[] = [];
    for await (const figures of run) seen.push(figures);
    expect(seen.map(({ epoch }) => epoch)).toEqual([1, 2, 3, 4, 5]);
    // The run can be awaited too, and both models have the same bytes.
    const same = await run;
    expect(same.epochs).toEqual(seen);
    expect(trained(iterated, same).equals(trained(awaited, history))).toBe(true);
  });
});

describe('class weights', () => {
  const uneven = points(80, 5, (a) => Number(a > 0.8));

  it("'balanced' are the weights that scikit-learn says", async () => {
    const rare = uneven.y.filter((label) => label === 1).length;
    expect(rare).toBeGreaterThan(5);
    const explicit = [80 / (2 * (80 - rare)), 80 / (2 * rare)];
    const bytes: Buffer[] = [];
    for (const classWeights of ['balanced', explicit, undefined] as const) {
      const model = await smallModel(2);
      bytes.push(
        trained(model, await model.fit(uneven, { epochs: 5, ...(classWeights && { classWeights }) })),
      );
    }
    expect(bytes[1]!.equals(bytes[0]!)).toBe(true);
    expect(bytes[2]!.equals(bytes[0]!)).toBe(false);
  });

  it('are the same as sample weights', async () => {
    const weighted = await smallModel(2);
    const one = trained(weighted, await weighted.fit(uneven, { epochs: 5, classWeights: [1, 3] }));
    const sampled = await smallModel(2);
    const weights = uneven.y.map((label) => 1 + 2 * label);
    const other = trained(sampled, await sampled.fit({ ...uneven, weights }, { epochs: 5 }));
    expect(other.equals(one)).toBe(true);
  });

  it("weigh the validation loss, whether its samples are held out or one's own", async () => {
    const own = points(40, 6, (a) => Number(a > 0.5));
    for (const classWeights of [[1, 1], [1, 5], 'balanced'] as const) {
      const model = await smallModel(2);
      const perClass =
        classWeights === 'balanced'
          ? [0, 1].map((label) => 40 / uneven.y.filter((other) => other === label).length)
          : classWeights;
      const weights = own.y.map((label) => perClass[label]!);
      const history = await model.fit(uneven, { epochs: 1, validation: own, classWeights });
      expect(history.epochs[0]!.valLoss).toBeCloseTo(model.evaluate({ ...own, weights }).loss, 6);
    }
  });

  it.each<[string, string, FitOptions]>([
    ['shape', 'classWeights.length is 3; 2, one a class,', { classWeights: [1, 2, 3] }],
    ['range', 'classWeights[1] is -1; a finite number from 0 up', { classWeights: [1, -1] }],
    ['range', 'classWeights[0] is NaN;', { classWeights: [Number.NaN, 1] }],
    ['usage', "classWeights is 7; 'balanced' or an array", { classWeights: 7 as never }],
  ])('%s: %s', async (code, words, options) => {
    const model = await smallModel(2);
    const error = await failure(code, () => model.fit(uneven, options));
    expect(error.message).toContain(words);
  });

  it('are refused where there are no classes', async () => {
    const model = await smallModel(1);
    const numbers = points(20, 1, (a) => a);
    const error = await failure('usage', () => model.fit(numbers, { classWeights: 'balanced' }));
    expect(error.message).toBe('classWeights is given; nothing for regression is expected.');
  });
});

describe('a signal', () => {
  it('ends training with `interrupted`, and the model stays as it was', async () => {
    const model = await smallModel(3, { norm: true });
    await model.fit(data, { epochs: 2 });
    const before = model.tensors();
    const controller = new AbortController();
    const stop = ({ epoch, step }: { epoch: number; step: number }) => {
      if (epoch === 2 && step === 2) controller.abort();
    };
    const error = await failure('interrupted', () =>
      model.fit(data, { epochs: 5, signal: controller.signal, onStep: stop }),
    );
    expect(error).toMatchObject({ message: 'The model was stopped in epoch 2.', subject: 'model' });
    expect(model.tensors()).toEqual(before);
    await failure('interrupted', () => model.fit(data, { signal: controller.signal }));
    const { epochs } = await model.fit(data, { epochs: 3 });
    expect(epochs).toHaveLength(3);
    expect(model.predict(data.x)).toHaveLength(90);
  });

  it('from a timer reaches a training that never waits', async () => {
    const model = await smallModel(3);
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 20);
    await failure('interrupted', () => model.fit(data, { epochs: 1e6, signal: controller.signal }));
  });

  it('leaves a checkpoint within the epoch, from which training goes on to the same bytes', async () => {
    const options: FitOptions = { epochs: 4, batchSize: 16, validation: 0.2 };
    const whole = await smallModel(3, { norm: true, dropout: 0.3 });
    const expected = trained(whole, await whole.fit(data, options));
    const controller = new AbortController();
    let last: ModelCheckpoint | undefined;
    const stopped = await smallModel(3, { norm: true, dropout: 0.3 });
    await failure('interrupted', () =>
      stopped.fit(data, {
        ...options,
        signal: controller.signal,
        onStep: ({ epoch, step }) => {
          if (epoch === 3 && step === 2) controller.abort();
        },
        onCheckpoint: (checkpoint) => {
          last = checkpoint;
        },
      }),
    );
    expect(last?.training.stopped).toMatchObject({ batches: 2, totals: { samples: 32 } });
    const resumed = await smallModel(3, { norm: true, dropout: 0.3 });
    const history = await resumed.fit(data, {
      ...options,
      checkpoint: decodeCheckpoint(encodeCheckpoint(last!)),
    });
    expect(trained(resumed, history).equals(expected)).toBe(true);
  });
});

describe('a for await that is left early', () => {
  it('ends the training; the model stays as it was and can be trained again', async () => {
    const model = await smallModel(3);
    const before = model.tensors();
    const run = model.fit(data, { epochs: 50 });
    for await (const { epoch } of run) if (epoch === 2) break;
    expect(model.tensors()).toEqual(before);
    await failure('interrupted', () => run);
    expect((await model.fit(data, { epochs: 1 })).epochs).toHaveLength(1);
  });
});

describe('which epoch is kept', () => {
  // A rate that is far too high after the fourth epoch makes the later ones worse.
  const worse: FitOptions = {
    epochs: 12,
    learningRate: ({ epoch }) => (epoch < 4 ? 0.02 : 2),
    optimizer: { type: 'sgd', momentum: 0.95 },
    validation: 0.3,
  };

  it('is the best with validation, and its figures are those of the model', async () => {
    const model = await smallModel(3);
    const { epochs, best } = await model.fit(data, { ...worse, validation: stripes(50, 9) });
    expect(best).toBeLessThan(12);
    const losses = epochs.map(({ valLoss }) => valLoss!);
    expect(losses[best - 1]).toBe(Math.min(...losses));
    expect(model.evaluate(stripes(50, 9)).loss).toBeCloseTo(losses[best - 1]!, 6);
  });

  it('is the last without validation, or where it is asked for', async () => {
    const model = await smallModel(3);
    expect((await model.fit(data, { epochs: 3 })).best).toBe(3);
    const other = await smallModel(3);
    const { best, epochs } = await other.fit(data, { ...worse, keep: 'last', validation: stripes(50, 9) });
    expect(best).toBe(12);
    expect(other.evaluate(stripes(50, 9)).loss).toBeCloseTo(epochs.at(-1)!.valLoss!, 6);
  });

  it('patience ends training that many epochs after the best', async () => {
    const model = await smallModel(3);
    const { epochs, best, ended } = await model.fit(data, { ...worse, epochs: 100, patience: 3 });
    expect(ended).toBe('patience');
    expect(epochs).toHaveLength(best + 3);
  });

  it('monitor chooses the figure, of which more or less is better', async () => {
    const model = await smallModel(3);
    const { epochs, best } = await model.fit(data, { ...worse, monitor: 'valAccuracy' });
    const accuracies = epochs.map(({ valAccuracy }) => valAccuracy!);
    // Of equal ones the first.
    expect(best).toBe(accuracies.indexOf(Math.max(...accuracies)) + 1);
    const without = await smallModel(3);
    const trainOnly = await without.fit(data, { epochs: 3, monitor: 'trainLoss', keep: 'best' });
    const losses = trainOnly.epochs.map(({ trainLoss }) => trainLoss!);
    expect(trainOnly.best).toBe(losses.indexOf(Math.min(...losses)) + 1);
  });

  it.each([
    ['valLoss', {}, 'one of trainLoss, trainAccuracy is expected'],
    ['valR2', { validation: 0.2 }, 'one of trainLoss, trainAccuracy, valLoss, valAccuracy, valMacroF1'],
  ])('refuses the figure %s with %j', async (monitor, options, words) => {
    const model = await smallModel(3);
    const error = await failure('usage', () => model.fit(data, { ...options, monitor }));
    expect(error.message).toContain(words);
    // The refusal has ended the training.
    await model.fit(data, { epochs: 1 });
  });
});

describe('a validation set', () => {
  it('of its own has the figures that evaluate has, sample weights among them', async () => {
    const line = (count: number, seed: number) => {
      const numbers = points(count, seed, (a, b) => 3 * a - b * b);
      return { ...numbers, weights: numbers.x.map(([a]) => Math.round(4 * a!)) };
    };
    const held = line(40, 6);
    const model = await smallModel(1);
    const { epochs } = await model.fit(line(80, 5), { epochs: 4, validation: held, keep: 'last' });
    const { valLoss, valR2, valRmse, valMae } = epochs.at(-1)!;
    const evaluation = model.evaluate(held);
    expect(evaluation.loss).toBeCloseTo(valLoss!, 6);
    expect(evaluation).toMatchObject({
      r2: expect.closeTo(valR2!, 5),
      rmse: expect.closeTo(valRmse!, 5),
      mae: expect.closeTo(valMae!, 5),
    });
  });

  it('as a share takes from every class in proportion', async () => {
    const model = await smallModel(2);
    const y = Array.from({ length: 50 }, (_, row) => Number(row % 10 === 0));
    const x = y.map((label, row) => [label, row / 50]);
    const { decisions, epochs } = await model.fit({ x, y }, { epochs: 1, validation: 0.2 });
    expect(decisions).toMatchObject({ samples: 40, validationSamples: 10 });
    expect(Number.isFinite(epochs[0]!.valMacroF1)).toBe(true);
  });
});

describe('a checkpoint', () => {
  const OPTIMIZERS: Optimizer[] = [
    { type: 'adam', l2: 0.001 },
    { type: 'adamW', weightDecay: 0.05 },
    { type: 'sgd' },
    { type: 'sgd', momentum: 0.9 },
    { type: 'sgd', momentum: 0.9, nesterov: true },
  ];
  const SCHEDULES: Schedule[] = [
    { type: 'constant', rate: 0.02 },
    { type: 'step', rate: 0.02, every: 2 },
    { type: 'exponential', rate: 0.02, factor: 0.8 },
    { type: 'cosine', rate: 0.02, warmup: 0.2 },
    { type: 'oneCycle', rate: 0.02 },
    { type: 'plateau', rate: 0.02, patience: 1, factor: 0.3 },
  ];
  const AVERAGES: FitOptions['average'][] = [
    undefined,
    { type: 'ema', decay: 0.9 },
    { type: 'last', epochs: 3 },
  ];
  // Every optimiser, every schedule and every average stands in a row, and each pair of the last two.
  const cases = SCHEDULES.flatMap((learningRate, row) =>
    AVERAGES.map((average, column) => ({
      learningRate,
      average,
      optimizer: OPTIMIZERS[(row + column) % OPTIMIZERS.length]!,
    })),
  );

  it.each(cases)(
    'of $optimizer.type, $learningRate.type, $average goes on to the same bytes',
    async (more) => {
      const options: FitOptions = { ...more, epochs: 6, batchSize: 20, validation: 0.2, clipNorm: 1 };
      const spec = { norm: true, dropout: 0.2 };
      const kept: ModelCheckpoint[] = [];
      const whole = await smallModel(3, spec);
      const history = await whole.fit(data, {
        ...options,
        onCheckpoint: (checkpoint) => {
          kept.push(checkpoint);
        },
      });
      const expected = trained(whole, history);
      expect(kept.map(({ training }) => training.epochs.length)).toEqual([1, 2, 3, 4, 5, 6]);
      for (const [index, checkpoint] of kept.entries()) {
        const model = await smallModel(3, spec);
        // As an object, and as bytes.
        const from = index % 2 === 0 ? checkpoint : decodeCheckpoint(encodeCheckpoint(checkpoint));
        const resumed = await model.fit(data, { ...options, checkpoint: from });
        expect(trained(model, resumed).equals(expected), `after epoch ${index + 1}`).toBe(true);
      }
    },
  );

  it('from a history goes on with more epochs, and stays as it was', async () => {
    const options: FitOptions = { learningRate: 0.01, batchSize: 16 };
    const model = await smallModel(3);
    const { checkpoint } = await model.fit(data, { ...options, epochs: 2 });
    const before = encodeCheckpoint(checkpoint);
    const bytes: Buffer[] = [];
    for (let time = 0; time < 2; time++) {
      const again = await smallModel(3);
      bytes.push(trained(again, await again.fit(data, { ...options, epochs: 5, checkpoint })));
    }
    const whole = await smallModel(3);
    const expected = trained(whole, await whole.fit(data, { ...options, epochs: 5 }));
    expect(bytes[0]!.equals(expected)).toBe(true);
    expect(bytes[1]!.equals(expected)).toBe(true);
    expect(encodeCheckpoint(checkpoint)).toEqual(before);
  });

  it('that is handed out does not change when training goes on', async () => {
    const model = await smallModel(3);
    const kept: { checkpoint: ModelCheckpoint; bytes: Uint8Array }[] = [];
    await model.fit(data, {
      epochs: 4,
      onCheckpoint: (checkpoint) => {
        kept.push({ checkpoint, bytes: encodeCheckpoint(checkpoint) });
      },
    });
    for (const { checkpoint, bytes } of kept) expect(encodeCheckpoint(checkpoint)).toEqual(bytes);
  });

  it('is waited for, and what it throws ends the training', async () => {
    const model = await smallModel(3);
    const order: string[] = [];
    await model.fit(data, {
      epochs: 2,
      onCheckpoint: async ({ training }) => {
        await new Promise((resolve) => setTimeout(resolve, 5));
        order.push(`kept ${training.epochs.length}`);
      },
      onEpoch: ({ epoch }) => order.push(`epoch ${epoch}`),
    });
    expect(order).toEqual(['kept 1', 'epoch 1', 'kept 2', 'epoch 2']);
    const full = new Error('the disk is full');
    await expect(model.fit(data, { onCheckpoint: () => Promise.reject(full) })).rejects.toBe(full);
    await model.fit(data, { epochs: 1 });
  });

  it('that is none, or of another model, is refused', async () => {
    const model = await smallModel(3);
    const { checkpoint } = await model.fit(data, { epochs: 1 });
    const { training } = checkpoint;
    const { state, epochs } = training;
    const WRONG: [string, string, unknown][] = [
      ['usage', 'checkpoint is 5; an object is expected.', 5],
      ['usage', 'checkpoint is an object (Object); what onCheckpoint or a history gave is expected.', {}],
      ['usage', 'what onCheckpoint or a history gave', { ...checkpoint, training: {} }],
      ['format', 'checkpoint: it has no model: model is null', { ...checkpoint, model: null }],
      ['shape', 'checkpoint.statistics is an object (Object); a Map', { ...checkpoint, statistics: {} }],
      ['format', 'checkpoint: steps is missing or wrong;', { ...training, steps: -1 }],
      ['format', 'checkpoint: epochs.0.epoch is missing or wrong;', { ...training, epochs: [null] }],
      ['format', 'checkpoint: its best epoch is 1; one of its 0', { ...training, epochs: [] }],
      ['format', 'checkpoint: its epochs are 1,1;', { ...training, epochs: [epochs[0], epochs[0]] }],
      [
        'shape',
        "checkpoint.training.state.tensors['0.weight'] is missing;",
        { ...training, state: { ...state, tensors: new Map() } },
      ],
      [
        'shape',
        "checkpoint.training.best.tensors['0.weight'] is missing;",
        { ...training, best: { ...training.best, tensors: new Map() } },
      ],
    ];
    for (const [code, words, wrong] of WRONG) {
      const given =
        typeof wrong === 'object' && 'steps' in wrong! ? { ...checkpoint, training: wrong } : wrong;
      const error = await failure(code, () => model.fit(data, { checkpoint: given as ModelCheckpoint }));
      expect(error.message).toContain(words);
    }
    for (const other of [
      small(3, { hidden: [9] }),
      small(3, { activation: 'tanh' }),
      small(3, { norm: true }),
    ]) {
      const error = await failure('usage', async () => (await createModel(other)).fit(data, { checkpoint }));
      expect(error.message).toBe(
        'checkpoint.model is another model; a checkpoint of this model is expected.',
      );
    }
    const slots = await failure('range', () =>
      model.fit(data, { checkpoint, epochs: 2, optimizer: { type: 'sgd' } }),
    );
    expect(slots.message).toBe('optimizer.slots.length is 2; 0 is expected.');
  });
});

describe('an average of weights', () => {
  const options: FitOptions = { epochs: 6, batchSize: 90, validation: stripes(30, 2) };

  it.each<[string, FitOptions['average']]>([
    ['that forgets at once', { type: 'ema', decay: 0 }],
    ['over the last step', { type: 'last', epochs: 1 }],
  ])('%s is the weights after it', async (_, average) => {
    const plain = await smallModel(3);
    await plain.fit(data, { ...options, keep: 'last' });
    const averaged = await smallModel(3);
    const { best } = await averaged.fit(data, { ...options, average });
    expect(best).toBe(6);
    expect(averaged.tensors()).toEqual(plain.tensors());
  });

  it('over the last epochs is the mean of the weights after each of their steps', async () => {
    const model = await smallModel(3);
    const after: ReturnType<typeof model.tensors>[] = [];
    const onEpoch = () => after.push(model.tensors());
    await model.fit(data, { ...options, average: { type: 'last', epochs: 3 }, onEpoch });
    for (const [key, values] of model.tensors()) {
      const mean = values.map((_, i) =>
        after.slice(3).reduce((sum, each) => sum + each.get(key)![i]! / 3, 0),
      );
      values.forEach((value, i) => {
        expect(Math.abs(value - mean[i]!)).toBeLessThan(1e-6);
      });
    }
  });

  it('has running statistics of its own, unless they are frozen', async () => {
    const model = await smallModel(3, { norm: true });
    await model.fit(data, { epochs: 3 });
    const before = model.tensors().get('1.runningMean');
    const frozen = await model.fit(data, { epochs: 2, frozenStatistics: true, average: { type: 'ema' } });
    expect(frozen.checkpoint.training.state.batchesTracked).toBe(0);
    expect(model.tensors().get('1.runningMean')).toEqual(before);
    // Over all samples in one batch they are the statistics of that batch: the mean of what comes out of the first layer.
    await model.fit(data, { epochs: 1, batchSize: 90, average: { type: 'ema' } });
    const tensors = model.tensors();
    const inputs = data.x.map((row) =>
      row.map((value, i) => (value - tensors.get('input.mean')![i]!) / tensors.get('input.deviation')![i]!),
    );
    const weight = tensors.get('0.weight')!;
    const bias = tensors.get('0.bias')!;
    tensors.get('1.runningMean')!.forEach((mean, unit) => {
      const outputs = inputs.map(([a, b]) => a! * weight[unit]! + b! * weight[8 + unit]! + bias[unit]!);
      expect(mean).toBeCloseTo(outputs.reduce((sum, value) => sum + value, 0) / 90, 5);
    });
  });
});

describe('a training that cannot go on', () => {
  it('diverges with a sentence, and the model stays as it was', async () => {
    const model = await smallModel(1);
    const numbers = points(60, 1, (a) => a);
    await model.fit(numbers, { epochs: 2 });
    const before = model.tensors();
    const options: FitOptions = { optimizer: { type: 'sgd' }, learningRate: 1e30, epochs: 50 };
    const error = await failure('diverged', () => model.fit(numbers, options));
    expect(error.message).toContain('try a lower learning rate');
    expect(model.tensors()).toEqual(before);
    expect(model.predict(numbers.x).every((value) => Number.isFinite(value))).toBe(true);
  });

  it('passes on what a callback throws', async () => {
    const model = await smallModel(3);
    const thrown = new Error('from the caller');
    const fail = () => {
      throw thrown;
    };
    await expect(model.fit(data, { onStep: fail })).rejects.toBe(thrown);
    await expect(model.fit(data, { onEpoch: fail })).rejects.toBe(thrown);
    await expect(model.fit(data, { learningRate: fail })).rejects.toBe(thrown);
    await model.fit(data, { epochs: 1 });
  });
});

describe('options that cannot be used are refused before training', () => {
  it.each<[string, Partial<Record<keyof FitOptions | 'epoch', unknown>>]>([
    ['options.epoch', { epoch: 3 }],
    ['epochs', { epochs: 0 }],
    ['epochs', { epochs: 2.5 }],
    ['batchSize', { batchSize: 0 }],
    ['learningRate', { learningRate: 0 }],
    ['learningRate', { learningRate: '0.1' }],
    ['learningRate.type', { learningRate: { type: 'linear', rate: 1 } }],
    ['learningRate.every', { learningRate: { type: 'step', rate: 1 } }],
    ['learningRate.factor', { learningRate: { type: 'exponential', rate: 1, factor: 2 } }],
    ['learningRate.warmup', { learningRate: { type: 'cosine', rate: 1, warmup: 1 } }],
    ['optimizer.type', { optimizer: { type: 'rmsprop' } }],
    ['optimizer.beta1', { optimizer: { type: 'adam', beta1: 1 } }],
    ['loss.type', { loss: { type: 'hinge' } }],
    ['loss.type', { loss: { type: 'huber' }, task: 'classification' }],
    ['task', { task: 'ranking' }],
    ['validation', { validation: 1 }],
    ['validation', { validation: null }],
    ['stratify', { stratify: 1 }],
    ['patience', { patience: 0 }],
    ['keep', { keep: 'first' }],
    ['clipNorm', { clipNorm: 0 }],
    ['frozenStatistics', { frozenStatistics: 'yes' }],
    ['average.type', { average: { type: 'mean' } }],
    ['average.decay', { average: { type: 'ema', decay: 1 } }],
    ['average.epochs', { average: { type: 'last' } }],
    ['shuffle', { shuffle: 0 }],
    ['seed', { seed: -1 }],
    ['signal', { signal: {} }],
    ['onEpoch', { onEpoch: 'log' }],
  ])('%s of %j', async (subject, options) => {
    const model = await smallModel(3);
    const before = model.tensors();
    const error = await model.fit(data, options as FitOptions).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(TreadleError);
    expect(error).toMatchObject({ code: expect.stringMatching(/^(usage|range)$/), subject });
    expect(model.tensors()).toEqual(before);
  });
});
