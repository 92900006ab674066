import { describe, expect, it } from 'vitest';
import {
  createModel,
  type Data,
  type Features,
  type FitOptions,
  type ModelSpec,
  mlp,
} from '../../dist/index.js';
import { bytesOf, sparse, uniform } from '../core/support.js';
import { failure } from '../support/errors.js';
import { points, small, smallModel, stripes, trained } from './support.js';

// Samples in every form that the library takes, and what it says of those that it cannot take.

const data = stripes(48, 1);
const flat = data.x.flat();
const OPTIONS: FitOptions = { epochs: 3, batchSize: 16 };

/** What a fresh model is trained to on this data. */
async function outcome(
  spec: ModelSpec,
  given: Parameters<Awaited<ReturnType<typeof createModel>>['fit']>[0],
  options = OPTIONS,
) {
  const model = await createModel(spec, { seed: 3 });
  return trained(model, await model.fit(given, options));
}

describe('features give the same bytes', () => {
  const f32 = Float32Array.from(flat);
  const rounded = Array.from({ length: 48 }, (_, row) => [f32[2 * row]!, f32[2 * row + 1]!]);

  it.each<[string, Features]>([
    ['a flat array of numbers', [...f32]],
    ['a Float32Array', f32],
    ['a Float64Array', Float64Array.from(f32)],
    ['rows that are Float32Arrays', rounded.map((row) => Float32Array.from(row))],
    ['a part of a larger array', Float32Array.from([9, 9, ...f32, 9]).subarray(2, 98)],
    [
      'an array over shared memory',
      new Float32Array(new SharedArrayBuffer(4 * 96)).fill(0).map((_, i) => f32[i]!),
    ],
  ])('as rows and as %s', async (_, x) => {
    const expected = await outcome(small(3), { x: rounded, y: data.y });
    expect((await outcome(small(3), { x, y: data.y })).equals(expected)).toBe(true);
  });

  it('as true and false, and as 1 and 0', async () => {
    const bits = data.x.map(([a, b]) => [a! > 0.5, b! > 0.5]);
    const numbers = bits.map((row) => row.map(Number));
    const expected = await outcome(small(3), { x: numbers, y: data.y });
    expect((await outcome(small(3), { x: bits as never, y: data.y })).equals(expected)).toBe(true);
  });

  it('as Float64Array, which keeps what f32 cannot tell apart', async () => {
    // Seconds of one day in 2024, whose differences are lost in f32.
    const x = Float64Array.from(data.x.flatMap(([a, b]) => [1_704_067_200 + 100 * a!, b!]));
    const model = await createModel(small(3), { seed: 3 });
    await model.fit({ x, y: data.y }, { epochs: 40 });
    const [first, second] = [x.slice(0, 2), x.slice(0, 2)];
    second[0]! += 50;
    expect(model.probabilities(second)).not.toEqual(model.probabilities(first));
  });

  it.each<[string, Data, string]>([
    [
      'x',
      { x: data.x.map(([a, b]) => [a!, 1_704_067_200 + b!]), y: data.y },
      'Column 1 of x is too close together for 32-bit floats, around 1.70e+9; a column with a number near its mean taken off is expected.',
    ],
    [
      'y',
      { x: data.x, y: data.x.map(([a]) => 1e12 + a!) },
      'Column 0 of y is too close together for 32-bit floats, around 1.00e+12; a column with a number near its mean taken off is expected.',
    ],
  ])('but a column of %s that cannot be centred is refused', async (_, given, words) => {
    const model = await createModel(small(given.y === data.y ? 3 : 1), { seed: 3 });
    expect((await failure('data', () => model.fit(given, OPTIONS))).message).toBe(words);
    expect((await failure('data', () => model.fit([given], { epochs: 1 }))).message).toBe(words);
    model.dispose();
  });

  it('as the bytes of images', async () => {
    const pixels = Uint8Array.from(flat, (value) => 255 * value);
    const spec = mlp({ inputs: 2, hidden: [8], outputs: 3, inputType: 'u8' });
    const shaped: ModelSpec = { ...spec, input: { ...spec.input, shape: [1, 2] } };
    const expected = await outcome(spec, { x: pixels, y: data.y });
    for (const x of [Uint8ClampedArray.from(pixels), [...pixels], Int32Array.from(pixels)]) {
      expect((await outcome(spec, { x, y: data.y })).equals(expected)).toBe(true);
    }
    const model = await createModel(shaped, { seed: 3 });
    await model.fit({ x: pixels, y: data.y }, OPTIONS);
    expect(model.spec.input.shape).toEqual([1, 2]);
    const plain = await createModel(spec, { seed: 3 });
    await plain.fit({ x: pixels, y: data.y }, OPTIONS);
    expect(bytesOf(model.tensors()).equals(bytesOf(plain.tensors()))).toBe(true);
  });

  it('as sparse rows, whatever kind of arrays they are in', async () => {
    const next = uniform(4);
    const dense = Float32Array.from({ length: 48 * 6 }, () => (next() < 0.7 ? 0 : next()));
    const y = data.y;
    const spec = mlp({ inputs: 6, hidden: [8], outputs: 3, inputType: 'sparse' });
    const rows = sparse(dense, 6);
    const expected = await outcome(spec, { x: rows, y });
    const typed = {
      indptr: Int32Array.from(rows.indptr),
      indices: Uint16Array.from(rows.indices),
      values: Float64Array.from(rows.values),
    };
    expect((await outcome(spec, { x: typed, y })).equals(expected)).toBe(true);
    const model = await createModel(spec, { seed: 3 });
    await model.fit({ x: rows, y }, OPTIONS);
    expect(model.predict(typed)).toEqual(model.predict(rows));
    expect(model.evaluate({ x: rows, y }).samples).toBe(48);
    // A row without any value is a sample too.
    expect(model.predict({ indptr: [0, 0, 1], indices: [2], values: [1] })).toHaveLength(2);
  });
});

describe('targets give the same bytes', () => {
  it('as an array, typed arrays, and true and false', async () => {
    const expected = await outcome(small(3), data);
    for (const y of [Uint8Array.from(data.y), Int32Array.from(data.y), Float64Array.from(data.y)]) {
      expect((await outcome(small(3), { x: data.x, y })).equals(expected)).toBe(true);
    }
    const halves = data.y.map((label) => Number(label === 2));
    const bits = halves.map(Boolean);
    expect(await outcome(small(2), { x: data.x, y: bits })).toEqual(
      await outcome(small(2), { x: data.x, y: halves }),
    );
  });

  it('as rows and as a flat matrix', async () => {
    const y = data.x.map(([a, b]) => [a! + b!, a! - b!]);
    const expected = await outcome(small(2), { x: data.x, y });
    expect((await outcome(small(2), { x: data.x, y: y.flat() })).equals(expected)).toBe(true);
    expect((await outcome(small(2), { x: data.x, y: Float64Array.from(y.flat()) })).equals(expected)).toBe(
      true,
    );
  });

  it('leave the data as it was', async () => {
    const x = Float32Array.from(flat);
    const before = x.slice();
    const y = [...data.y];
    await outcome(small(3), { x, y, weights: y.map((label) => label + 1) }, { ...OPTIONS, validation: 0.2 });
    expect(x).toEqual(before);
    expect(y).toEqual(data.y);
  });
});

describe('what is decided from the data', () => {
  it.each<[string, number, Data['y'], object]>([
    ['whole numbers below the outputs are classes', 3, data.y, { task: 'classification' }],
    ['names are classes', 3, data.y.map(String), { task: 'classification', classes: ['0', '1', '2'] }],
    ['other numbers are to be predicted', 1, data.y.map((label) => label / 2), { task: 'regression' }],
    ['of one output, 0 and 1 are a label', 1, data.y.map((label) => label % 2), { task: 'multilabel' }],
    ['a matrix of 0 and 1 has labels', 2, data.y.map((label) => [1, label % 2]), { task: 'multilabel' }],
    ['another matrix has numbers', 2, data.y.map((label) => [label, 0]), { task: 'regression' }],
  ])('%s', async (_, outputs, y, decisions) => {
    const model = await smallModel(outputs);
    const history = await model.fit({ x: data.x, y }, { epochs: 1 });
    expect(history.decisions).toMatchObject(decisions);
  });

  it('columns that are constant become zeros, and are named', async () => {
    const spec = mlp({ inputs: 3, hidden: [4], outputs: 3 });
    const x = data.x.map(([a]) => [a!, 0.1, 7]);
    const model = await createModel(spec);
    const { decisions } = await model.fit({ x, y: data.y }, { epochs: 2 });
    expect(decisions.constantColumns).toEqual([1, 2]);
    const named = await createModel({ ...spec, input: { ...spec.input, names: ['size', 'tenth', 'seven'] } });
    const history = await named.fit({ x, y: data.y }, { epochs: 2 });
    expect(history.decisions.constantColumns).toEqual(['tenth', 'seven']);
    expect(model.probabilities(x).every(Number.isFinite)).toBe(true);
  });

  it('the statistics are those of the rows that are trained on, and stay for later trainings', async () => {
    const model = await smallModel(3);
    const { checkpoint } = await model.fit(data, { epochs: 1 });
    const mean = (column: number) => data.x.reduce((sum, row) => sum + row[column]!, 0) / 48;
    const { statistics } = checkpoint;
    expect([...statistics.get('input.mean')!]).toEqual([mean(0), mean(1)].map(Math.fround));
    const moved = { x: data.x.map(([a, b]) => [100 * a!, b! - 5]), y: data.y };
    const again = await model.fit(moved, { epochs: 1 });
    expect(again.checkpoint.statistics).toEqual(statistics);
  });
});

describe('a stream', () => {
  const parts = (given: { x: number[][]; y: number[] }, size: number): Data[] =>
    Array.from({ length: Math.ceil(given.y.length / size) }, (_, index) => ({
      x: given.x.slice(size * index, size * (index + 1)),
      y: given.y.slice(size * index, size * (index + 1)),
    }));
  const streamOf = (batches: readonly Data[]) => ({
    async *[Symbol.asyncIterator]() {
      yield* batches;
    },
  });
  const options: FitOptions = { epochs: 4, learningRate: 0.02 };

  it.each([
    ['alone', {}],
    ['with BatchNorm, dropout and an average', { norm: true, dropout: 0.2 }],
  ])('gives the bytes of the same batches in memory that are not shuffled, %s', async (_, more) => {
    const spec = small(3, { ...more, standardize: false });
    const average: FitOptions = 'norm' in more ? { average: { type: 'last', epochs: 2 } } : {};
    const expected = await outcome(spec, data, { ...options, ...average, batchSize: 16, shuffle: false });
    const batches = parts(data, 16);
    expect((await outcome(spec, streamOf(batches), { ...options, ...average })).equals(expected)).toBe(true);
    // Iterables that are not asynchronous do as well, arrays among them.
    expect((await outcome(spec, batches, { ...options, ...average })).equals(expected)).toBe(true);
  });

  it('finds the statistics that the same samples have in memory', async () => {
    const numbers = points(50, 2, (a, b) => 1000 + a - b);
    const whole = await smallModel(1);
    const expected = (await whole.fit(numbers, { epochs: 1 })).checkpoint.statistics;
    const streamed = await smallModel(1);
    const found = (await streamed.fit(streamOf(parts(numbers, 7)), { epochs: 1 })).checkpoint.statistics;
    expect([...found.keys()]).toEqual(['input.mean', 'input.deviation', 'target.mean', 'target.deviation']);
    for (const [key, values] of found) {
      values.forEach((value, at) => {
        expect(Math.abs(value / expected.get(key)![at]! - 1)).toBeLessThan(1e-6);
      });
    }
  });

  it('is pulled one batch at a time', async () => {
    let pulled = 0;
    let trainedOn = 0;
    let ahead = 0;
    const batches = parts(data, 8);
    const stream = {
      async *[Symbol.asyncIterator]() {
        pulled = 0;
        for (const batch of batches) {
          pulled++;
          yield batch;
        }
      },
    };
    const model = await smallModel(3);
    const { decisions } = await model.fit(stream, {
      epochs: 3,
      onStep: ({ step, steps, rows }) => {
        trainedOn = step;
        ahead = Math.max(ahead, pulled - trainedOn);
        expect(steps).toBe(6);
        expect(rows).toBe(8);
      },
    });
    expect(ahead).toBe(0);
    expect(decisions).toMatchObject({ batchSize: 8, samples: 48, validationSamples: 0 });
  });

  it('takes batches of different sizes, sample weights and held-out samples of their own', async () => {
    const sizes = [1, 20, 7, 20];
    let first = 0;
    const batches = sizes.map((size): Data => {
      const rows = { x: data.x.slice(first, first + size), y: data.y.slice(first, first + size) };
      first += size;
      return { ...rows, weights: rows.y.map((label) => label) };
    });
    const model = await smallModel(3);
    const { epochs, decisions } = await model.fit(streamOf(batches), {
      ...options,
      validation: stripes(20, 3),
    });
    expect(decisions).toMatchObject({ batchSize: 20, samples: 48, validationSamples: 20 });
    expect(Number.isFinite(epochs.at(-1)!.valLoss)).toBe(true);
  });

  it('of sparse rows', async () => {
    const next = uniform(4);
    const batch = () => ({
      x: sparse(
        Float32Array.from({ length: 10 * 6 }, () => (next() < 0.7 ? 0 : next())),
        6,
      ),
      y: Array.from({ length: 10 }, () => Math.floor(3 * next())),
    });
    const batches = [batch(), batch(), batch()];
    const spec = mlp({ inputs: 6, hidden: [8], outputs: 3, inputType: 'sparse' });
    const model = await createModel(spec);
    const { epochs } = await model.fit(streamOf(batches), { epochs: 2 });
    expect(epochs).toHaveLength(2);
    expect(model.predict(batches[0]!.x)).toHaveLength(10);
  });

  it('goes on from a checkpoint to the same bytes', async () => {
    const batches = parts(data, 8);
    const expected = await outcome(small(3), streamOf(batches), options);
    const model = await smallModel(3);
    const controller = new AbortController();
    let checkpoint: FitOptions['checkpoint'];
    await failure('interrupted', () =>
      model.fit(streamOf(batches), {
        ...options,
        signal: controller.signal,
        onStep: ({ epoch, step }) => {
          if (epoch === 2 && step === 4) controller.abort();
        },
        onCheckpoint: (last) => {
          checkpoint = last;
        },
      }),
    );
    expect(checkpoint!.training.stopped!.batches).toBe(4);
    expect((await outcome(small(3), streamOf(batches), { ...options, checkpoint })).equals(expected)).toBe(
      true,
    );
  });

  it('is closed when training ends within it', async () => {
    let open = 0;
    const stream = {
      *[Symbol.iterator]() {
        open++;
        try {
          yield* parts(data, 8);
        } finally {
          open--;
        }
      },
    };
    const model = await smallModel(3);
    const error = new Error('from the caller');
    const onStep = ({ step }: { step: number }) => {
      if (step === 3) throw error;
    };
    await expect(model.fit(stream, { onStep })).rejects.toBe(error);
    expect(open).toBe(0);
    await model.fit(stream, { epochs: 2 });
    expect(open).toBe(0);
  });

  it('that fails hands on its error', async () => {
    const broken = new Error('the file is gone');
    let passes = 0;
    const stream = {
      async *[Symbol.asyncIterator]() {
        yield* parts(data, 16);
        // The first pass looks at one batch, the second at all.
        if (++passes === 2) throw broken;
      },
    };
    const model = await smallModel(3);
    await expect(model.fit(stream, { epochs: 3 })).rejects.toBe(broken);
    await model.fit(data, { epochs: 1 });
  });

  const one: Data = { x: [[0, 1]], y: [0] };
  it.each<[string, string, string, unknown, FitOptions?]>([
    ['none', 'data', 'The stream is empty; at least one batch is expected.', []],
    [
      'a generator, which runs once',
      'data',
      'The stream is empty when it is iterated again; an iterable that gives its batches anew each time is expected.',
      (function* () {
        yield one;
        yield one;
      })(),
    ],
    ['rows instead of batches', 'usage', 'batch 0 is an array of length 2; an object with x and y', data.x],
    ['nothing as a batch', 'usage', 'batch 1 is null; an object with x and y is expected.', [one, null]],
    [
      'no number in a batch',
      'range',
      'batch 1.x at row 0, column 1 is NaN;',
      [one, { x: [[0, Number.NaN]], y: [0] }],
    ],
    [
      'an unknown class',
      'range',
      'batch 1.y[0] is 3; a class from 0 to 2 is expected.',
      [one, { ...one, y: [3] }],
    ],
    ['an empty batch', 'range', 'The number of samples in batch 1.x is 0;', [one, { x: [], y: [] }]],
    [
      'names without classes',
      'usage',
      'classes is missing (the targets are names)',
      [{ x: data.x, y: data.y.map(String) }],
    ],
    ['a batch size', 'usage', 'batchSize is given (the stream decides it); nothing', [one], { batchSize: 4 }],
    ['an order', 'usage', 'shuffle is given (the stream decides it); nothing', [one], { shuffle: true }],
    ['class weights', 'usage', 'classWeights is given', [one], { classWeights: 'balanced' }],
    ['a share', 'usage', 'validation is 0.2 (of a stream); samples of their own', [one], { validation: 0.2 }],
  ])('refuses %s', async (_, code, words, stream, more = {}) => {
    const model = await smallModel(3);
    const error = await failure(code, () => model.fit(stream as Data[], { epochs: 1, ...more }));
    expect(error.message).toContain(words);
    await model.fit(data, { epochs: 1 });
  });

  it('takes names where the model has its classes', async () => {
    const model = await createModel({ ...small(3), classes: ['low', 'middle', 'high'] });
    const batches = [{ x: data.x, y: data.y.map((label) => ['low', 'middle', 'high'][label]!) }];
    await model.fit(batches, { epochs: 30 });
    expect(model.predict([[0.02, 0.5]])).toEqual(['low']);
  });
});

describe('what cannot be used is refused by its place', () => {
  const x = data.x.slice(0, 4);
  const y = [0, 1, 2, 0];
  const with_ = (row: number, column: number, value: unknown) =>
    x.map((values, r) => values.map((old, c) => (r === row && c === column ? value : old)));
  const detached = <T extends ArrayBufferView>(array: T): T => {
    structuredClone(array.buffer, { transfer: [array.buffer as ArrayBuffer] });
    return array;
  };
  const f32 = (at: number, value: number) =>
    Float32Array.from(x.flat()).map((old, i) => (i === at ? value : old));

  it.each<[string, string, string, unknown]>([
    // Features.
    [
      'NaN',
      'range',
      'x at row 2, column 1 is NaN; a finite number is expected.',
      { x: with_(2, 1, Number.NaN), y },
    ],
    [
      'Infinity',
      'range',
      'x at row 3, column 0 is Infinity;',
      { x: with_(3, 0, Number.POSITIVE_INFINITY), y },
    ],
    ['NaN in a Float32Array', 'range', 'x at row 2, column 1 is NaN;', { x: f32(5, Number.NaN), y }],
    ['what f32 cannot hold', 'range', 'x at row 0, column 1 is 1e+39;', { x: with_(0, 1, 1e39), y }],
    [
      'what f32 cannot hold, in f64',
      'range',
      'x at row 1, column 0',
      { x: Float64Array.from(with_(1, 0, -1e300).flat() as number[]), y },
    ],
    ['a string', 'range', "x at row 1, column 1 is '3'; a finite number", { x: with_(1, 1, '3'), y }],
    ['null', 'range', 'x at row 0, column 0 is null;', { x: with_(0, 0, null), y }],
    ['a hole', 'range', 'x at row 0, column 0 is missing;', { x: with_(0, 0, undefined), y }],
    ['a bigint', 'range', 'x at row 0, column 0 is 5n;', { x: with_(0, 0, 5n), y }],
    ['bigints', 'range', 'x at row 0, column 0 is 0n;', { x: new BigInt64Array(8), y }],
    [
      'a row that is too short',
      'shape',
      'x[1].length is 1; 2 is expected.',
      { x: [[1, 2], [3], [4, 5], [6, 7]], y },
    ],
    [
      'a row that is too long',
      'shape',
      'x[2].length is 3; 2 is expected.',
      {
        x: [
          [1, 2],
          [3, 4],
          [4, 5, 6],
          [6, 7],
        ],
        y,
      },
    ],
    [
      'a row that is none',
      'usage',
      'x[1] is 3; a row of 2 numbers is expected.',
      { x: [[1, 2], 3, [4, 5], [6, 7]], y },
    ],
    [
      'rows behind numbers',
      'range',
      'x at row 0, column 1 is an array of length 2;',
      { x: [1, [1, 2]], y: [0] },
    ],
    [
      'a length that is no multiple',
      'shape',
      'x.length is 7; a multiple of 2',
      { x: new Float32Array(7), y },
    ],
    ['none', 'range', 'The number of samples in x is 0; at least one is expected.', { x: [], y: [] }],
    ['nothing', 'usage', 'x is null; a typed array, or an array of rows of 2 numbers,', { x: null, y }],
    ['a Map', 'usage', 'x is an object (Map);', { x: new Map(), y }],
    ['a DataView', 'usage', 'x is a DataView', { x: new DataView(new ArrayBuffer(64)), y }],
    [
      'an array whose memory has gone',
      'range',
      'The number of samples in x is 0;',
      { x: detached(new Float32Array(8)), y },
    ],
    // Targets.
    ['fewer targets', 'shape', 'y.length is 3; 4, one for each sample, is expected.', { x, y: [0, 1, 2] }],
    ['more targets', 'shape', 'y.length is 5; 4, one for each sample,', { x, y: [0, 1, 2, 0, 1] }],
    ['targets whose memory has gone', 'shape', 'y.length is 0; 4', { x, y: detached(Uint8Array.from(y)) }],
    ['class -1', 'range', 'y[1] is -1; a class from 0 to 2 is expected.', { x, y: [0, -1, 2, 0] }],
    ['class 3 of 3', 'range', 'y[3] is 3; a class from 0 to 2 is expected.', { x, y: [0, 1, 2, 3] }],
    ['half a class', 'range', 'y[2] is 0.5; a class from 0 to 2', { x, y: [0, 1, 0.5, 0] }],
    ['no class', 'range', 'y[2] is missing; a class from 0 to 2', { x, y: [0, 1, undefined, 0] }],
    ['NaN as a class', 'range', 'y[0] is NaN; a class from 0 to 2', { x, y: [Number.NaN, 1, 2, 0] }],
    ['a bigint as a class', 'range', 'y[0] is 0n;', { x, y: new BigInt64Array(4) }],
    [
      'no name among names',
      'range',
      'y[2] is missing; the name of a class is expected.',
      { x, y: ['a', 'b', undefined, 'c'] },
    ],
    [
      'a number among names',
      'range',
      'y[1] is 1; the name of a class is expected.',
      { x, y: ['a', 1, 'b', 'c'] },
    ],
    [
      'too few names',
      'shape',
      'The number of outputs is 3; 2, as many as there are class names in y,',
      { x, y: ['a', 'b', 'a', 'b'] },
    ],
    [
      'too many names',
      'shape',
      'The number of outputs is 3; 4, as many as there are class names',
      { x, y: ['a', 'b', 'c', 'd'] },
    ],
    ['targets that are no array', 'usage', 'y is 3; an array of targets is expected.', { x, y: 3 }],
    ['targets that are text', 'usage', 'y is abca; an array of targets is expected.', { x, y: 'abca' }],
    // Weights.
    ['fewer weights', 'shape', 'weights has length 3; 4 is expected.', { x, y, weights: [1, 1, 1] }],
    [
      'a negative weight',
      'range',
      'weights[1] is -1; a finite number from 0 up',
      { x, y, weights: [1, -1, 1, 1] },
    ],
    ['NaN as a weight', 'range', 'weights[3] is NaN;', { x, y, weights: [1, 1, 1, Number.NaN] }],
    [
      'null as weights',
      'usage',
      'weights is null; an array of numbers is expected.',
      { x, y, weights: null },
    ],
    [
      'weights whose memory has gone',
      'shape',
      'weights has length 0; 4',
      { x, y, weights: detached(new Float32Array(4)) },
    ],
    // The whole.
    ['no targets at all', 'usage', 'data is an object (Object); an object with x and y is expected.', { x }],
    ['null', 'usage', 'data is null; an object with x and y', null],
    ['a number', 'usage', 'data is 5; an object with x and y', 5],
    ['features alone', 'usage', 'data is a Float32Array of length 8; an object with x and y', f32(0, 0)],
  ])('%s', async (_, code, words, given) => {
    const model = await smallModel(3);
    const before = model.tensors();
    const options = { task: 'classification' as const, epochs: 1 };
    const error = await failure(code, () => model.fit(given as Data, options));
    expect(error.message).toContain(words);
    expect(model.tensors()).toEqual(before);
    // Evaluating says the same of the same data.
    await model.fit(data, { epochs: 1 });
    await failure(code, () => model.evaluate(given as Data));
    // And so do validation samples, under their name.
    if (typeof given !== 'object' || given === null || !('y' in given)) return;
    const held = await failure(code, () => model.fit(data, { validation: given as Data }));
    expect(held.message).toContain('validation');
  });

  it.each<[string, string, string, unknown]>([
    ['a row too few', 'shape', 'y.length is 1; 2, for 2 samples, is expected.', [[1, 2]]],
    ['a narrow row', 'shape', 'y[1].length is 1; 2 is expected.', [[1, 2], [3]]],
    [
      'NaN',
      'range',
      'y at row 1, column 0 is NaN; a finite number',
      [
        [1, 2],
        [Number.NaN, 4],
      ],
    ],
    ['what f32 cannot hold', 'range', 'y at row 0, column 1 is 1e+39', [1, 1e39, 2, 3]],
    ['a wrong length', 'shape', 'y.length is 3; 4, for 2 samples, is expected.', [1, 2, 3]],
    ['class 2 of 2', 'shape', 'y.length is 2 (not read as classes from 0 to 1); 4, for 2 samples,', [1, 2]],
    ['text', 'range', "y at row 1, column 0 is '3'; a finite number", [1, 2, '3', 4]],
  ])('of targets that are numbers: %s', async (_, code, words, y2) => {
    const model = await smallModel(2);
    const given = { x: x.slice(0, 2), y: y2 } as Data;
    const error = await failure(code, () => model.fit(given, { task: 'regression' }));
    expect(error.message).toContain(words);
  });

  it('of labels: 1.5', async () => {
    const model = await smallModel(2);
    const given = {
      x: x.slice(0, 2),
      y: [
        [0, 1],
        [1.5, 0],
      ],
    };
    const error = await failure('range', () => model.fit(given, { task: 'multilabel' }));
    expect(error.message).toBe('y at row 1, column 0 is 1.5; a number from 0 to 1 is expected.');
  });

  it.each<[string, unknown]>([
    ['x at row 0, column 1 is 256; a byte from 0 to 255, as of u8 input,', [[0, 256]]],
    ['x at row 0, column 0 is 0.5; a byte', [[0.5, 1]]],
    ['x at row 1, column 0 is -1; a byte', [0, 0, -1, 0]],
    ['x at row 0, column 0 is NaN;', Float32Array.of(Number.NaN, 0)],
  ])('of bytes: %s', async (words, given) => {
    const model = await smallModel(3, { inputType: 'u8' });
    const error = await failure('range', () => model.predict(given as Features));
    expect(error.message).toContain(words);
  });

  const csr = (change: object) => ({ indptr: [0, 1, 3], indices: [1, 0, 1], values: [1, 2, 3], ...change });
  it.each<[string, string, unknown]>([
    ['usage', 'x.indptr is missing; an array, as of sparse input,', x],
    ['usage', 'x.indptr is missing;', null],
    ['usage', 'x.values is missing;', csr({ values: undefined })],
    ['range', 'x.indptr[0] is 1; 0 is expected.', csr({ indptr: [1, 1, 3] })],
    ['range', 'x.indptr[0] is missing; 0', csr({ indptr: [] })],
    ['range', 'x.indptr[2] is 0; a whole number from 1 to 3', csr({ indptr: [0, 1, 0] })],
    ['range', 'x.indptr[2] is 9;', csr({ indptr: [0, 1, 9] })],
    ['range', 'x.indices[0] (row 0) is 2; a column above -1 and below 2', csr({ indices: [2, 0, 1] })],
    ['range', 'x.indices[2] (row 1) is 0; a column above 1 and below 2', csr({ indices: [1, 1, 0] })],
    ['range', 'x.indices[2] (row 1) is 0; a column above 0', csr({ indices: [1, 0, 0] })],
    ['range', 'x at row 1, column 1 is Infinity;', csr({ values: [1, 2, Number.POSITIVE_INFINITY] })],
    ['range', 'x at row 0, column 1 is 1;', csr({ values: ['1', 2, 3] })],
    ['range', 'x at row 0, column 1 is 1n;', csr({ values: BigInt64Array.of(1n, 2n, 3n) })],
    ['shape', 'x.indices has length 4; 3', csr({ indices: [1, 0, 1, 1] })],
    ['shape', 'x.values has length 4; 3', csr({ values: [1, 2, 3, 4] })],
  ])('of sparse rows: %s, %s', async (code, words, given) => {
    const model = await smallModel(3, { inputType: 'sparse' });
    const error = await failure(code, () => model.predict(given as Features));
    expect(error.message).toContain(words);
  });

  it('too few samples for BatchNorm and for a hold-out', async () => {
    const model = await smallModel(3, { norm: true });
    const single = { x: [[0, 1]], y: [0] };
    const norm = await failure('data', () => model.fit(single));
    expect(norm.message).toContain('BatchNorm needs a variance');
    await model.fit(single, { epochs: 1, frozenStatistics: true });
    const held = await failure('data', () => model.fit(single, { validation: 0.5 }));
    expect(held.message).toBe('The number of samples is 1; at least 2, one of them held out, is expected.');
  });
});
