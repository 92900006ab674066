// Random sequences of calls against one model of the library, right and wrong ones, made from a seed. What may come of
// each is a result or a TreadleError; for test/model/calls.test.ts and run-calls.mjs.
import { createModel, ERROR_CODES, loadModel, mlp, TreadleError } from '../../dist/index.js';

/** A call that takes longer is a finding. */
const SLOW_MS = 5000;
const MOST_CALLS = 10;
/** Weights beyond this come of a learning rate that is far too high. */
const HUGE = 1e6;

/** A generator of numbers in [0, 1) and of choices (mulberry32). */
function randomOf(seed, sequence) {
  let state = (Math.imul(seed, 0x9e3779b1) ^ Math.imul(sequence + 1, 0x85ebca6b)) >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let word = Math.imul(state ^ (state >>> 15), state | 1);
    word ^= word + Math.imul(word ^ (word >>> 7), word | 61);
    return ((word ^ (word >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (bound) => Math.floor(next() * bound);
  const of = (choices) => choices[below(choices.length)];
  const chance = (share) => next() < share;
  return { next, below, of, chance, list: (length, item) => Array.from({ length }, (_, i) => item(i)) };
}

/** An array whose memory has gone. */
function detached() {
  const array = new Float32Array(4);
  structuredClone(array.buffer, { transfer: [array.buffer] });
  return array;
}

/** What has no business where it is put. No number among them asks for long work or much memory and is right. */
const ODD = [
  ...[
    Number.NaN,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
    -1,
    0,
    -0,
    0.5,
    1,
    2,
    3,
    7,
    1e-300,
    1e300,
  ],
  ...[1e39, 2 ** 31, -(2 ** 31), 2 ** 53, null, undefined, true, false, '', 'abc', '1', 5n, Symbol('odd')],
  ...[() => 1, () => null, () => {}].map((odd) => () => odd),
  ...[
    () => [],
    () => [[]],
    () => [null],
    () => [1, [2]],
    () => ({}),
    () => Object.create(null),
    () => new Map(),
  ],
  ...[
    () => new Float32Array(2),
    () => Float64Array.of(Number.NaN, 1e300),
    () => new BigInt64Array(2),
    detached,
  ],
  ...[
    () => new DataView(new ArrayBuffer(8)),
    () => new ArrayBuffer(8),
    () => new Date(0),
    () => Promise.resolve(1),
  ],
  ...[
    () => new Proxy({}, {}),
    () => new Uint8Array(3),
    () => new Array(3),
    () => ({ length: 3 }),
    () => ({ aborted: true }),
  ],
];

function odd(random) {
  const chosen = random.of(ODD);
  return typeof chosen === 'function' ? chosen() : chosen;
}

/** A copy of a value in which one part, however deep, is odd, missing, or one more. */
function spoiled(random, value) {
  if (typeof value !== 'object' || value === null || random.chance(0.15)) return odd(random);
  if (value instanceof Map) {
    const copy = new Map(value);
    const key = random.of([...value.keys(), 'odd']);
    if (random.chance(0.3)) copy.delete(key);
    else copy.set(key, spoiled(random, value.get(key)));
    return copy;
  }
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) {
    if (random.chance(0.3)) return value.slice(random.below(3));
    const copy = value.slice();
    const number = random.of(ODD.slice(0, 17));
    if (typeof copy[0] === 'number' && copy.length > 0) copy[random.below(copy.length)] = number;
    return copy;
  }
  if (Array.isArray(value)) {
    const copy = [...value];
    const at = random.below(copy.length + 1);
    if (random.chance(0.2)) copy.splice(at, 1);
    else copy[at] = spoiled(random, copy[at]);
    return copy;
  }
  const keys = Object.keys(value);
  if (keys.length === 0 || Object.getPrototypeOf(value) !== Object.prototype) return odd(random);
  const key = random.of([...keys, ...keys, ...keys, 'odd']);
  const { [key]: part, ...rest } = value;
  return random.chance(0.15) ? rest : { ...rest, [key]: spoiled(random, part) };
}

/** The spec of a small model. */
function specOf(random) {
  const inputType = random.of(['f32', 'f32', 'u8', 'sparse']);
  const outputs = 1 + random.below(4);
  const inputs = 1 + random.below(5);
  const spec = mlp({
    inputs,
    ...(inputType === 'u8' &&
      random.chance(0.5) && {
        shape: random.of([
          [1, inputs],
          [inputs, 1, 1],
        ]),
      }),
    hidden: random.of([[], [3], [5, 4], [8]]),
    outputs,
    inputType,
    norm: random.chance(0.4),
    activation: random.of(['relu', 'leakyRelu', 'tanh', 'sigmoid', 'gelu', 'silu']),
    ...(random.chance(0.3) && { dropout: random.of([0, 0.2, 0.9]) }),
    ...(random.chance(0.3) && inputType === 'f32' && { standardize: false }),
  });
  if (random.chance(0.2) && outputs > 1) return { ...spec, classes: random.list(outputs, (i) => `c${i}`) };
  if (random.chance(0.2))
    return {
      ...spec,
      output: { head: random.of(outputs > 1 ? ['softmax', 'sigmoid', 'identity'] : ['sigmoid', 'identity']) },
    };
  return spec;
}

/** Features of so many samples, in one of the forms that the model takes. */
function featuresOf(random, { input: { features, type } }, rows) {
  if (type === 'sparse') {
    const indptr = [0];
    const indices = [];
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < features; column++) if (random.chance(0.5)) indices.push(column);
      indptr.push(indices.length);
    }
    const values = indices.map(() => random.next() * 2 - 1);
    return { indptr, indices, values: random.chance(0.5) ? Float32Array.from(values) : values };
  }
  const scale = type === 'u8' ? 256 : random.of([1, 1, 1000, 1e-6]);
  const number = () => (type === 'u8' ? random.below(256) : (random.next() - 0.5) * scale);
  const matrix = random.list(rows, () => random.list(features, number));
  const flat = matrix.flat();
  const forms =
    type === 'u8'
      ? [matrix, flat, Uint8Array.from(flat), Uint8ClampedArray.from(flat)]
      : [
          matrix,
          flat,
          Float32Array.from(flat),
          Float64Array.from(flat),
          matrix.map((row) => Float32Array.from(row)),
        ];
  return random.of(forms);
}

/** Targets of so many samples, mostly of the model's task where it has one. */
function targetsOf(random, { layers, classes, output }, rows) {
  const { units } = layers.at(-1);
  const kinds = [
    () => random.list(rows, () => random.below(units)),
    () => Uint8Array.from({ length: rows }, () => random.below(units)),
    () => random.list(rows, (row) => classes?.[row % units] ?? `c${row % units}`),
    () => random.list(rows, () => random.list(units, () => random.below(2))),
    () => random.list(rows, () => random.list(units, () => (random.next() - 0.5) * 100)),
    () => Float64Array.from({ length: rows * units }, () => random.next()),
  ];
  const head = classes ? 'softmax' : output?.head;
  if (head === undefined || random.chance(0.15)) return random.of(kinds)();
  const [first, end] = { softmax: [0, classes ? 3 : 2], sigmoid: [3, 4], identity: [3, 6] }[head];
  return random.of(kinds.slice(first, end))();
}

function dataOf(random, spec) {
  const rows = random.of([1, 2, 3, 8, 20, 40]);
  const data = { x: featuresOf(random, spec, rows), y: targetsOf(random, spec, rows) };
  return random.chance(0.2) ? { ...data, weights: random.list(rows, () => random.below(3)) } : data;
}

/** The same samples in every batch, once or as often as they are asked for. */
function streamOf(random, spec) {
  const data = dataOf(random, spec);
  const batches = random.list(random.below(4), () => (random.chance(0.1) ? spoiled(random, data) : data));
  return random.of([
    () => batches,
    () => ({
      async *[Symbol.asyncIterator]() {
        yield* batches;
      },
    }),
    () => batches.values(),
  ])();
}

const RATES = [
  ...[0.001, 0.1, 10, 1e20, () => 0.01, () => Number.NaN, () => 'fast'],
  ...[
    { type: 'constant', rate: 0.01 },
    { type: 'step', rate: 0.1, every: 1 },
    { type: 'exponential', rate: 0.1, factor: 0.5 },
    { type: 'cosine', rate: 0.1, warmup: 0.3 },
    { type: 'oneCycle', rate: 0.1 },
    { type: 'plateau', rate: 0.1, patience: 1 },
  ],
];

/** Options of a fit, most of them left out. `state` has the model and the checkpoints so far. */
function optionsOf(random, spec, state) {
  const read = () => {
    state.model.predict(featuresOf(random, spec, 1));
    if (random.chance(0.2)) state.model.save();
  };
  const controller = new AbortController();
  const all = {
    batchSize: () => random.of([1, 2, 3, 16, 1000]),
    learningRate: () => random.of(RATES),
    optimizer: () =>
      random.of([
        { type: 'adam', l2: 0.1 },
        { type: 'adamW' },
        { type: 'sgd' },
        { type: 'sgd', momentum: 0.9, nesterov: true },
      ]),
    loss: () => ({ type: random.of(['crossEntropy', 'binaryCrossEntropy', 'squaredError', 'huber']) }),
    task: () => random.of(['classification', 'multilabel', 'regression']),
    validation: () => random.of([0.2, 0.9, dataOf(random, spec)]),
    stratify: () => random.chance(0.5),
    monitor: () => random.of(['trainLoss', 'valLoss', 'valAccuracy', 'valR2']),
    patience: () => 1 + random.below(2),
    keep: () => random.of(['best', 'last']),
    classWeights: () => random.of(['balanced', random.list(spec.layers.at(-1).units, () => random.below(3))]),
    clipNorm: () => random.of([1e-3, 1, 1e6]),
    frozenStatistics: () => random.chance(0.5),
    average: () =>
      random.of([{ type: 'ema' }, { type: 'ema', decay: 0 }, { type: 'last', epochs: 1 + random.below(3) }]),
    augment: () =>
      random.of([
        {},
        { flip: 1 },
        { flip: 0.5, share: 0.5, rotation: 180, zoom: 0.5, aspect: 0.5, shear: 2, shift: 1000, until: 0.5 },
        { rotation: 200 },
      ]),
    shuffle: () => random.chance(0.5),
    seed: () => random.below(100),
    signal: () => random.of([AbortSignal.abort(), controller.signal]),
    onEpoch: () => read,
    onStep: () => (random.chance(0.3) ? () => controller.abort() : read),
    onCheckpoint: () => (checkpoint) => state.checkpoints.push(checkpoint),
    checkpoint: () => random.of([...state.checkpoints, null]),
  };
  const options = { epochs: 1 + random.below(3) };
  const share = random.of([0.05, 0.15, 0.3]);
  for (const [name, value] of Object.entries(all)) if (random.chance(share)) options[name] = value();
  return options;
}

/** What a call is, how its arguments are made, and what it does with them. */
const CALLS = {
  fit: {
    weight: 6,
    args: (random, spec, state) => [
      random.chance(0.2) ? streamOf(random, spec) : dataOf(random, spec),
      optionsOf(random, spec, state),
    ],
    run: async (state, args) => {
      const history = await state.model.fit(...args);
      state.checkpoints.push(history.checkpoint);
    },
  },
  iterate: {
    weight: 1,
    args: (random, spec, state) => [dataOf(random, spec), optionsOf(random, spec, state)],
    run: async (state, args, random) => {
      for await (const { epoch } of state.model.fit(...args)) if (epoch > random.below(4)) break;
    },
  },
  'fit twice at once': {
    weight: 1,
    args: (random, spec, state) => [dataOf(random, spec), optionsOf(random, spec, state)],
    run: async (state, args) => {
      const both = await Promise.allSettled([state.model.fit(...args), state.model.fit(...args)]);
      if (both.every(({ status }) => status === 'fulfilled')) throw new Error('both trainings ran');
      for (const { reason } of both) if (reason !== undefined) expectTreadle(reason);
    },
  },
  'fit and dispose': {
    weight: 0.3,
    args: (random, spec, state) => [dataOf(random, spec), optionsOf(random, spec, state)],
    run: async (state, args, random) => {
      const run = state.model.fit(...args);
      state.disposed = true;
      if (random.chance(0.5)) await Promise.resolve();
      state.model.dispose();
      await run;
    },
  },
  predict: {
    weight: 3,
    args: (random, spec) => [featuresOf(random, spec, random.below(30))],
    run: (state, args) => state.model.predict(...args),
  },
  probabilities: {
    weight: 2,
    args: (random, spec) => [featuresOf(random, spec, random.of([0, 1, 5, 6, 300]))],
    run: (state, args) => state.model.probabilities(...args),
  },
  evaluate: {
    weight: 3,
    args: (random, spec) => [dataOf(random, spec)],
    run: (state, args) => state.model.evaluate(...args),
  },
  'save and load': {
    weight: 2,
    args: (random, _, state) => [state.disposed ? null : state.model.save(), { seed: random.below(5) }],
    run: async (state, args) => {
      const loaded = await loadModel(...args);
      state.model.dispose();
      state.model = loaded;
    },
  },
  tensors: { weight: 0.5, args: () => [], run: (state) => state.model.tensors() },
  setTensors: {
    weight: 0.5,
    args: (random, _, state) => {
      const tensors = state.disposed ? new Map() : state.model.tensors();
      const key = random.of([...tensors.keys(), 'none']);
      if (random.chance(0.2)) tensors.delete(key);
      if (random.chance(0.2))
        tensors.set(
          key,
          random.of([new Float32Array(1), [1], null, tensors.get(key)?.map(() => Number.NaN)]),
        );
      return [tensors];
    },
    run: (state, args) => state.model.setTensors(...args),
  },
  'fit, paused': {
    weight: 0.5,
    args: (random, spec, state) => [dataOf(random, spec), optionsOf(random, spec, state)],
    run: async (state, args, random) => {
      const run = state.model.fit(...args);
      run.pause();
      const goesOn = random.chance(0.8);
      const timer = setTimeout(() => {
        if (goesOn) {
          run.resume();
        } else {
          state.disposed = true;
          state.model.dispose();
        }
      }, 1);
      try {
        await run;
      } finally {
        clearTimeout(timer);
      }
    },
  },
  summary: { weight: 0.5, args: () => [], run: (state) => [state.model.summary(), state.model.parameters] },
  dispose: {
    weight: 0.2,
    args: () => [],
    run: (state) => {
      state.disposed = true;
      state.model.dispose();
    },
  },
};

const NAMES = Object.keys(CALLS);
const WEIGHTS = NAMES.map((name) => CALLS[name].weight);
const WEIGHT = WEIGHTS.reduce((sum, weight) => sum + weight);

function nameOf(random) {
  let left = random.next() * WEIGHT;
  return NAMES.find((_, index) => {
    left -= WEIGHTS[index];
    return left < 0;
  });
}

/** Throws for what is no TreadleError as it should be. */
function expectTreadle(error) {
  if (!(error instanceof TreadleError)) throw error;
  const { code, message } = error;
  if (!ERROR_CODES.includes(code)) throw new Error(`the code ${code} is none`);
  if (/[\n\r]/.test(message) || message.length > 600) throw new Error(`not one sentence: ${message}`);
}

/** Throws unless the model, which is not being trained, says something finite of the right shape. */
function expectSound(state, probe) {
  const { model } = state;
  if (state.disposed) {
    try {
      model.predict(probe);
    } catch (error) {
      if (error instanceof TreadleError && error.code === 'usage') return;
      throw error;
    }
    throw new Error('a model that is disposed of predicts');
  }
  const outputs = model.spec.layers.at(-1).units;
  const rows = 3;
  const said = model.probabilities(probe);
  if (said.length !== rows * outputs) throw new Error(`${said.length} probabilities`);
  if (!said.every(Number.isFinite)) {
    // A huge rate may leave weights that are finite and products that are not.
    const isHuge = [...model.tensors().values()].some((values) =>
      values.some((value) => Math.abs(value) > HUGE),
    );
    if (isHuge) return;
    throw new Error(`it says ${said.join()}`);
  }
  const head = model.spec.output?.head ?? (outputs > 1 ? 'softmax' : 'identity');
  if (head !== 'identity' && said.some((p) => p < 0 || p > 1)) throw new Error(`it says ${said.join()}`);
  for (let row = 0; row < rows && head === 'softmax'; row++) {
    const sum = said.subarray(row * outputs, (row + 1) * outputs).reduce((total, p) => total + p, 0);
    if (Math.abs(sum - 1) > 1e-4) throw new Error(`probabilities add up to ${sum}`);
  }
  if (model.predict(probe).length !== rows) throw new Error(`${model.predict(probe).length} predictions`);
}

/** A finding's text: the error with where it came from. */
function textOf(error) {
  return error instanceof Error ? String(error.stack).split('\n').slice(0, 6).join('\n') : String(error);
}

/**
 * Runs one sequence; returns how many calls it made, how many of them were refused and by which codes, and what was found:
 * null, or the calls so far and what was wrong with the last one.
 */
export async function runSequence(seed, sequence) {
  const random = randomOf(seed, sequence);
  const outcome = { calls: 0, codes: {}, finding: null };
  const made = [];
  let state = null;
  /** Makes a call; true when it came to a result. */
  const attempt = async (name, call) => {
    outcome.calls++;
    made.push(name);
    const started = performance.now();
    const error = await Promise.resolve()
      .then(call)
      .then(
        () => null,
        (thrown) => thrown ?? new Error(`${thrown} was thrown`),
      );
    const took = performance.now() - started;
    if (took > SLOW_MS) throw new Error(`it took ${Math.round(took)} ms`);
    if (error !== null) {
      expectTreadle(error);
      outcome.codes[error.code] = (outcome.codes[error.code] ?? 0) + 1;
    }
    made[made.length - 1] += error === null ? ' (well)' : ` (${error.code}: ${error.message})`;
    return error === null;
  };
  try {
    const spec = specOf(random);
    if (random.chance(0.1)) await attempt('createModel, spoiled', () => createModel(spoiled(random, spec)));
    const options = { seed: random.below(100) };
    state = { model: await createModel(spec, options), checkpoints: [], disposed: false };
    const probe = featuresOf(randomOf(seed, -2), spec, 3);
    const length = 1 + random.below(MOST_CALLS);
    for (let call = 0; call < length; call++) {
      const name = nameOf(random);
      const { args: argsOf, run } = CALLS[name];
      let args = argsOf(random, state.model.spec, state);
      const isSpoiled = args.length > 0 && random.chance(0.4);
      if (isSpoiled) {
        const at = random.below(args.length);
        args = args.map((arg, index) => (index === at ? spoiled(random, arg) : arg));
      }
      const before = state.disposed || random.chance(0.5) ? null : state.model.tensors();
      const { model } = state;
      const title = isSpoiled ? `${name}, spoiled` : name;
      const well = await attempt(title, () => run(state, args, random));
      if (!well && before !== null && !state.disposed && model === state.model)
        expectSame(before, model.tensors());
      expectSound(state, probe);
    }
  } catch (error) {
    outcome.finding = { seed, sequence, calls: made, error: textOf(error) };
  } finally {
    state?.model.dispose();
  }
  return outcome;
}

/** Throws unless a call that was refused has left the tensors as they were. */
function expectSame(before, after) {
  for (const [key, values] of after) {
    const old = before.get(key);
    if (old?.length !== values.length || values.some((value, i) => value !== old[i])) {
      throw new Error(`tensor ${key} is another than before the call`);
    }
  }
}
