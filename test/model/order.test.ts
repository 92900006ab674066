import { describe, expect, it } from 'vitest';
import { decodeSafetensors, encodeSafetensors, tensorOf } from '../../dist/formats/safetensors.js';
import {
  createModel,
  type FitOptions,
  loadCore,
  loadModel,
  type Model,
  type ModelSpec,
  mlp,
} from '../../dist/index.js';
import { sparse, uniform } from '../core/support.js';
import { failure } from '../support/errors.js';
import { points, small, smallModel, stripes, trained } from './support.js';

// A model's calls in every order: during a training, after it, one after another, after dispose, and of a saved model.

const data = stripes(60, 1);
const fresh = stripes(30, 2);

/** Every call that reads a model. */
function read(model: Model, samples = fresh) {
  return [
    model.predict(samples.x),
    model.probabilities(samples.x),
    model.evaluate(samples),
    model.save(),
    model.tensors(),
    model.summary(),
    model.parameters,
  ];
}

describe('a model that is read during a training', () => {
  const options: FitOptions = { epochs: 5, batchSize: 16, validation: 0.2 };
  const SPECS: [string, ModelSpec][] = [
    ['floats', small(3)],
    ['floats, BatchNorm and dropout', small(3, { norm: true, dropout: 0.3, activation: 'gelu' })],
    ['bytes', small(3, { inputType: 'u8', norm: true })],
  ];

  it.each(SPECS)('is trained to the same bytes: %s', async (_, spec) => {
    const asBytes = ({ x, y }: typeof data) =>
      spec.input.type === 'u8'
        ? { x: x.map((row) => row.map((value) => Math.floor(255 * value))), y }
        : { x, y };
    const [train, other] = [asBytes(data), asBytes(fresh)];
    for (const average of [undefined, { type: 'ema', decay: 0.9 } as const]) {
      const alone = await createModel(spec, { seed: 3 });
      const expected = trained(alone, await alone.fit(train, { ...options, average }));
      const model = await createModel(spec, { seed: 3 });
      let reads = 0;
      const readAll = () => {
        reads += read(model, other).length;
        // One row, and more than a batch.
        model.predict(other.x.slice(0, 1));
        model.evaluate(train);
      };
      const history = await model.fit(train, {
        ...options,
        average,
        onEpoch: readAll,
        onStep: readAll,
        onCheckpoint: readAll,
      });
      expect(reads).toBe(7 * 5 * (3 + 2));
      expect(trained(model, history).equals(expected)).toBe(true);
    }
  });

  it('is trained to the same bytes on a stream, and on sparse rows', async () => {
    const next = uniform(4);
    const dense = () => Float32Array.from({ length: 20 * 6 }, () => (next() < 0.7 ? 0 : next()));
    const batches = [0, 1, 2].map(() => ({ x: sparse(dense(), 6), y: data.y.slice(0, 20) }));
    const spec = mlp({ inputs: 6, hidden: [8], outputs: 3, inputType: 'sparse' });
    const alone = await createModel(spec, { seed: 3 });
    const expected = trained(alone, await alone.fit(batches, { epochs: 3 }));
    const model = await createModel(spec, { seed: 3 });
    const onStep = () => {
      model.predict(batches[2]!.x);
      model.evaluate(batches[1]!);
    };
    const history = await model.fit(batches, { epochs: 3, onStep });
    expect(trained(model, history).equals(expected)).toBe(true);
  });

  it('says what the weights of the moment say', async () => {
    const model = await smallModel(3);
    const losses: number[] = [];
    const { epochs } = await model.fit(data, {
      ...options,
      validation: fresh,
      onEpoch: () => losses.push(model.evaluate(fresh).loss),
    });
    losses.forEach((loss, index) => {
      expect(loss).toBeCloseTo(epochs[index]!.valLoss!, 6);
    });
  });

  it('is saved as it is at the moment', async () => {
    const model = await smallModel(3);
    const saved: { bytes: Uint8Array; says: Float32Array }[] = [];
    await model.fit(data, {
      epochs: 3,
      onEpoch: () => saved.push({ bytes: model.save(), says: model.probabilities(fresh.x) }),
    });
    for (const { bytes, says } of saved) {
      const loaded = await loadModel(bytes);
      expect(loaded.probabilities(fresh.x)).toEqual(says);
    }
    expect(saved[1]!.bytes).not.toEqual(saved[0]!.bytes);
    expect(saved[2]!.bytes).toEqual(model.save());
  });
});

describe('one training after another', () => {
  it('goes on from the weights', async () => {
    const model = await smallModel(3);
    const first = await model.fit(data, { epochs: 20 });
    const before = model.evaluate(data).loss;
    const second = await model.fit(data, { epochs: 1, learningRate: 1e-6 });
    expect(second.epochs).toHaveLength(1);
    expect(second.epochs[0]!.trainLoss).toBeCloseTo(before, 4);
    expect(first.epochs).toHaveLength(20);
  });

  it('keeps the classes, and refuses others', async () => {
    const model = await smallModel(3);
    const names = (list: number[], words: string[]) => list.map((label) => words[label]!);
    await model.fit({ x: data.x, y: names(data.y, ['a', 'b', 'c']) }, { epochs: 2 });
    expect(model.spec.classes).toEqual(['a', 'b', 'c']);
    const error = await failure('range', () =>
      model.fit({ x: data.x, y: names(data.y, ['a', 'b', 'z']) }, { epochs: 2 }),
    );
    expect(error.message).toMatch(/^y\[\d+\] is z; one of the classes a, b, c is expected\.$/);
    // A few classes will do now, and so do indices.
    await model.fit(
      {
        x: [
          [0, 0],
          [1, 1],
        ],
        y: ['c', 'a'],
      },
      { epochs: 1 },
    );
    await model.fit(
      {
        x: [
          [0, 0],
          [1, 1],
        ],
        y: [2, 0],
      },
      { epochs: 1 },
    );
    expect(model.evaluate({ x: [[0.5, 0.5]], y: ['b'] }).samples).toBe(1);
  });

  it('keeps the task, and refuses a loss of another', async () => {
    const model = await smallModel(3);
    await model.fit(data, { epochs: 1 });
    const error = await failure('usage', () => model.fit(data, { loss: { type: 'squaredError' } }));
    expect(error.message).toBe(
      "loss.type is squaredError (the model's head is softmax); a loss of classification is expected.",
    );
  });

  it('is refused while the first goes on, on samples and on streams', async () => {
    for (const given of [data, [data]]) {
      const alone = await smallModel(3);
      const expected = trained(alone, await alone.fit(given, { epochs: 3 }));
      const model = await smallModel(3);
      const first = model.fit(given, { epochs: 3 });
      const error = await failure('usage', () => model.fit(given, { epochs: 3 }));
      expect(error.message).toBe('The model is being trained; one training at a time is expected.');
      expect(trained(model, await first).equals(expected)).toBe(true);
    }
    const model = await smallModel(3);
    let inside: Promise<unknown> | undefined;
    await model.fit(data, {
      epochs: 1,
      onEpoch: () => {
        inside = failure('usage', () => model.fit(data));
      },
    });
    await inside;
  });

  it('of two models at once gives the bytes of each alone', async () => {
    const alone = await smallModel(3);
    const expected = trained(alone, await alone.fit(data, { epochs: 20 }));
    const models = [await smallModel(3), await smallModel(3)];
    const histories = await Promise.all(models.map(async (model) => await model.fit(data, { epochs: 20 })));
    models.forEach((model, index) => {
      expect(trained(model, histories[index]!).equals(expected)).toBe(true);
    });
  });
});

describe('after dispose', () => {
  it('every use is refused, but a second dispose and what is told of the spec', async () => {
    const model = await smallModel(3);
    await model.fit(data, { epochs: 1 });
    model.predict(data.x);
    model.dispose();
    model.dispose();
    const uses: (() => unknown)[] = [
      () => model.fit(data),
      () => model.fit([data]),
      () => model.predict(data.x),
      () => model.probabilities(data.x),
      () => model.evaluate(data),
      () => model.save(),
      () => model.tensors(),
    ];
    for (const use of uses) {
      const error = await failure('usage', use);
      expect(error.message).toBe('The model is disposed of; a model in use is expected.');
    }
    expect(model.parameters).toBe(2 * 8 + 8 + 8 * 3 + 3);
    expect(model.summary()).toContain('softmax');
  });

  it.each<[string, (model: Model) => FitOptions]>([
    ['a step', (model) => ({ onStep: () => model.dispose() })],
    ['an epoch', (model) => ({ onEpoch: () => model.dispose() })],
    ['the last epoch', (model) => ({ epochs: 1, onEpoch: () => model.dispose() })],
    [
      'the last epoch, with an average',
      (model) => ({ epochs: 1, average: { type: 'ema' }, onEpoch: () => model.dispose() }),
    ],
    ['a checkpoint', (model) => ({ onCheckpoint: () => model.dispose() })],
  ])('during %s the training ends with `interrupted`', async (_, options) => {
    for (const given of [data, [data, data]]) {
      const model = await smallModel(3, { norm: true });
      const error = await failure('interrupted', () => model.fit(given, options(model)));
      expect(error).toMatchObject({ subject: 'model' });
      await failure('usage', () => model.predict(data.x));
    }
  });

  it('while a stream is looked through it does too', async () => {
    const model = await smallModel(3);
    const stream = {
      *[Symbol.iterator]() {
        yield data;
        model.dispose();
        yield data;
      },
    };
    await failure('interrupted', () => model.fit(stream));
  });
});

describe('a model that is saved and loaded', () => {
  const numbers = points(60, 3, (a, b) => 50 + a - b);
  const CASES: [string, ModelSpec, { x: number[][]; y: unknown[] }][] = [
    ['classes', small(3, { norm: true, dropout: 0.1 }), data],
    ['named classes', small(3), { x: data.x, y: data.y.map((label) => ['é', 'b"', '']![label]) }],
    [
      'labels',
      small(2, { activation: 'leakyRelu' }),
      { x: data.x, y: data.y.map((label) => [label % 2, 1]) },
    ],
    ['a number', small(1, { activation: 'silu' }), numbers],
    ['numbers, no hidden layer', small(2, { hidden: [] }), { x: data.x, y: numbers.y.map((y) => [y, -y]) }],
  ];

  it.each(CASES)('says the same: %s', async (_, spec, given) => {
    const model = await createModel(spec, { seed: 5 });
    await model.fit(given as never, { epochs: 3 });
    const bytes = model.save();
    expect(model.save()).toEqual(bytes);
    const loaded = await loadModel(bytes);
    expect(loaded.spec).toEqual(model.spec);
    expect(loaded.summary()).toBe(model.summary());
    expect(loaded.parameters).toBe(model.parameters);
    expect(loaded.tensors()).toEqual(model.tensors());
    expect(loaded.probabilities(fresh.x)).toEqual(model.probabilities(fresh.x));
    expect(loaded.predict(fresh.x)).toEqual(model.predict(fresh.x));
    expect(loaded.evaluate(given as never)).toEqual(model.evaluate(given as never));
    expect(loaded.save()).toEqual(bytes);
    // From an ArrayBuffer, and from a part of a larger one.
    const copy = bytes.slice();
    expect((await loadModel(copy.buffer)).save()).toEqual(bytes);
    const larger = new Uint8Array(bytes.length + 7);
    larger.set(bytes, 3);
    expect((await loadModel(larger.subarray(3, 3 + bytes.length))).save()).toEqual(bytes);
  });

  it('measures the loss that it was trained with', async () => {
    const numbers = points(40, 8, (a, b) => 3 * a - b);
    const model = await createModel(small(1), { seed: 5 });
    await model.fit(numbers, { epochs: 2, loss: { type: 'huber', delta: 0.1 } });
    const { loss } = model.evaluate(numbers);
    const loaded = await loadModel(model.save());
    expect(loaded.evaluate(numbers)).toMatchObject({ loss });
    expect(loaded.save()).toEqual(model.save());
    const untrained = await createModel(small(3), { seed: 5 });
    expect((await loadModel(untrained.save())).save()).toEqual(untrained.save());
  });

  it.each([
    ['7', 'treadle_loss is no loss: loss is 7; an object'],
    ['{', 'treadle_loss is no JSON'],
    ['{"type":"hinge"}', "treadle_loss is no loss: loss.type is 'hinge'"],
    ['{"type":"huber"}', 'treadle_loss is huber; a loss of the model'],
    ['[[[[[[[]]]]]]]', 'treadle_loss is nested deeper than 5 levels'],
  ])('is refused with the loss %s', async (loss, words) => {
    const model = await smallModel(3);
    await model.fit(data, { epochs: 1 });
    const { tensors, metadata } = decodeSafetensors(model.save(), 'a file');
    const all = new Map([...tensors].map(([name, entry]) => [name, tensorOf(entry, name, 'a file')]));
    const bytes = encodeSafetensors(all, { ...metadata, treadle_loss: loss });
    const error = await failure('format', () => loadModel(bytes));
    expect(error.message).toContain(`The model: ${words}`);
  });

  it('is trained on as the one that was saved', async () => {
    const model = await createModel(small(3, { norm: true, dropout: 0.2 }), { seed: 5 });
    await model.fit(data, { epochs: 2 });
    const loaded = await loadModel(model.save(), { seed: 5 });
    const expected = trained(model, await model.fit(data, { epochs: 3 }));
    expect(trained(loaded, await loaded.fit(data, { epochs: 3 })).equals(expected)).toBe(true);
  });

  it.each([
    [3, data],
    [1, numbers],
  ])('before its first training, of %i outputs, is trained to the same bytes', async (outputs, given) => {
    const model = await createModel(small(outputs), { seed: 5 });
    const loaded = await loadModel(model.save(), { seed: 5 });
    expect(loaded.probabilities(fresh.x)).toEqual(model.probabilities(fresh.x));
    for (const samples of [given, [given]]) {
      const one = await createModel(small(outputs), { seed: 5 });
      const other = await loadModel(one.save(), { seed: 5 });
      const expected = trained(one, await one.fit(samples, { epochs: 3 }));
      expect(trained(other, await other.fit(samples, { epochs: 3 })).equals(expected)).toBe(true);
    }
  });
});

describe('a model that was not trained', () => {
  it('predicts and is evaluated by the task that its outputs speak of', async () => {
    const classes = await smallModel(3, { norm: true });
    expect(classes.evaluate(data)).toMatchObject({ task: 'classification', samples: 60 });
    const number = await smallModel(1);
    const says = number.predict(fresh.x) as number[];
    expect(new Set(says).size).toBeGreaterThan(5);
    expect(number.evaluate({ x: fresh.x, y: says })).toMatchObject({
      task: 'regression',
      mae: expect.closeTo(0, 5),
    });
    const label = await createModel({ ...small(2), output: { head: 'sigmoid' } });
    expect(label.evaluate({ x: data.x, y: data.y.map(() => [0, 1]) }).task).toBe('multilabel');
  });

  it('has the weights of its seed', async () => {
    const [one, same, other] = [1, 1, 2].map((seed) => createModel(small(3, { norm: true }), { seed }));
    expect((await same!).save()).toEqual((await one!).save());
    expect((await other!).save()).not.toEqual((await one!).save());
  });

  it('does not change with the spec that it was made of', async () => {
    const spec = structuredClone(small(3)) as unknown as { layers: { units?: number }[] };
    const model = await createModel(spec as never);
    spec.layers[0]!.units = 99;
    expect(model.parameters).toBe(51);
    expect(model.predict(fresh.x)).toHaveLength(30);
  });

  it('is made of a spec behind proxies too', async () => {
    const behind = (value: object): object =>
      new Proxy(value, {
        get: (target, key) => {
          const part = Reflect.get(target, key);
          return typeof part === 'object' && part !== null ? behind(part) : part;
        },
      });
    const model = await createModel(behind(small(3)) as ModelSpec, { seed: 3 });
    await model.fit(data, { epochs: 1 });
    const plain = await smallModel(3);
    await plain.fit(data, { epochs: 1 });
    expect(model.save()).toEqual(plain.save());
  });

  it('runs on a core of its own', async () => {
    const core = await loadCore({ build: 'debug' });
    const shared = await createModel(small(3), { seed: 1 });
    const own = await createModel(small(3), { seed: 1, core });
    expect(own.tensors()).toEqual(shared.tensors());
    await own.fit(data, { epochs: 1 });
    const loaded = await loadModel(own.save(), { core });
    expect(loaded.probabilities(fresh.x)).toEqual(own.probabilities(fresh.x));
  });
});

describe('what is no model is refused in one sentence', () => {
  it('bytes', async () => {
    const model = await smallModel(3, { norm: true });
    await model.fit(data, { epochs: 1 });
    const good = model.save();
    const next = uniform(6);
    const garbage = [
      new Uint8Array(0),
      new Uint8Array(7),
      new Uint8Array(64),
      Uint8Array.from({ length: 500 }, () => Math.floor(256 * next())),
      new TextEncoder().encode('this is not a model at all'),
      good.slice(0, 20),
      good.slice(0, good.length - 1),
      Uint8Array.from([...good, 0]),
      ...[null, undefined, 5, 'model', [1, 2, 3], new Float32Array(4), {}],
    ];
    for (const bytes of garbage) {
      const error = await failure('format', () => loadModel(bytes as Uint8Array));
      expect(error.message).toMatch(/^The model: [^\n]+; [^\n]+ is expected\.$|^The model[^\n]+\.$/);
      expect(error.message.length).toBeLessThan(300);
    }
  });

  it('a model with a byte changed loads as what it then is, or is refused', async () => {
    const model = await smallModel(3);
    await model.fit(data, { epochs: 1 });
    const good = model.save();
    const next = uniform(7);
    for (let time = 0; time < 300; time++) {
      const bytes = good.slice();
      bytes[Math.floor(next() * bytes.length)]! ^= 1 << Math.floor(8 * next());
      const loaded = await loadModel(bytes).catch((error: unknown) => error);
      if (loaded instanceof Error) {
        expect(loaded).toMatchObject({ code: expect.stringMatching(/^(format|shape|range)$/) });
      } else {
        expect((loaded as Model).predict(fresh.x)).toHaveLength(30);
        (loaded as Model).dispose();
      }
    }
  });

  it.each<[string, string, unknown, unknown?]>([
    ['usage', 'model is missing; an object', undefined],
    ['usage', 'model is null; an object', null],
    ['usage', 'layers is missing; an array of layers', { input: { features: 2, type: 'f32' } }],
    ['usage', "model has the unknown key 'name'", { ...small(3), name: 'x' }],
    ['range', 'input.features is 0;', { ...small(3), input: { features: 0, type: 'f32' } }],
    ['usage', 'layers[0] is missing; a layer is expected.', { ...small(3), layers: new Array(2) }],
    [
      'range',
      'input.shape[0] is missing;',
      { ...small(3), input: { features: 1, type: 'f32', shape: new Array(2) } },
    ],
    ['range', 'layers[0] is relu; a dense layer as the last', { ...small(3), layers: [{ type: 'relu' }] }],
    ['range', 'seed is -1; a whole number from 0 up', small(3), { seed: -1 }],
    ['range', 'seed is 0.5;', small(3), { seed: 0.5 }],
    ['usage', "options has the unknown key 'workers'", small(3), { workers: 2 }],
    ['usage', 'options is null;', small(3), null],
  ])('specs and options: %s, %s', async (code, words, spec, options) => {
    const error = await failure(code, () => createModel(spec as never, options as never));
    expect(error.message).toContain(words);
  });

  it('options of loadModel', async () => {
    const bytes = (await smallModel(3)).save();
    await failure('range', () => loadModel(bytes, { seed: -1 }));
    await failure('usage', () => loadModel(bytes, { build: 'simd' } as never));
  });
});

describe('summary', () => {
  it('is a table of the layers', async () => {
    const model = await smallModel(3, { norm: true, dropout: 0.25 });
    expect(model.summary()).toBe(
      [
        'layer           output  parameters',
        'input            2 f32',
        '0 dense 8            8          24',
        '1 batchNorm          8          16',
        '2 relu               8           0',
        '3 dropout 0.25       8           0',
        '4 dense 3            3          27',
        'in all                          67',
      ].join('\n'),
    );
    await model.fit(data, { epochs: 1 });
    expect(model.summary()).toContain('softmax              3\n');
  });
});
