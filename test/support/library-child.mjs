// Calls the library's main functions, also where they must fail, and watches the process: what they print, whether they
// end it, install a listener on it or leave a thread behind. Prints one line of JSON. For test/library.test.ts, which
// also sees what goes round these traps, on the real streams. argv: a folder with a small dataset in `data`.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

const folder = process.argv[2];
const path = (name) => join(folder, name);

/** What was done to the process, in words. */
const offences = [];
const listenedToBefore = process.eventNames();
const trap = (object, name, words) => {
  const original = object[name];
  object[name] = function trapped(...args) {
    offences.push(`${words}${name}(${String(args[0]).slice(0, 200)})`);
    return name === 'exit' || name === 'abort' ? undefined : original.apply(this, args);
  };
};
for (const name of ['exit', 'abort', 'kill', 'emitWarning']) trap(process, name, 'process.');
for (const name of ['on', 'once', 'addListener', 'prependListener', 'prependOnceListener']) {
  trap(process, name, 'process.');
}
trap(process.stdout, 'write', 'stdout.');
trap(process.stderr, 'write', 'stderr.');

const treadle = {
  ...(await import('../../dist/node.js')),
  ...(await import('../../dist/experiment/index.js')),
};

const settings = {
  architectures: [{ name: 'a', hidden: [8] }],
  learningRates: [0.01],
  validationSize: 60,
  epochs: 2,
  batchSize: 64,
  jobs: 2,
  threads: 2,
};
const choice = {
  data: path('data'),
  verify: false,
  weights: path('weights'),
  out: path('runs'),
  replace: true,
};
const core = await treadle.loadCore();
const plain = await treadle.loadDataset({ data: path('data'), verify: false });
const shape = { inputs: plain.imageWidth * plain.imageHeight, classes: plain.classNames.length };
const indices = treadle.stratifiedSplit(plain.train.labels, shape.classes, 60, 0);
const shared = (array) => {
  const copy = new array.constructor(new SharedArrayBuffer(array.byteLength));
  copy.set(array);
  return copy;
};
const split = { train: shared(indices.train), validation: shared(indices.validation) };
const limits = { jobs: 1, threads: 2, helpers: core.build.endsWith('-mt') };
const jobs = (epochs) => treadle.planJobs(treadle.resolveConfig({ ...settings, epochs }), shape, core.build);
const train = (list, change = {}) =>
  treadle.trainJobs(list, {
    core,
    data: plain.train,
    split,
    limits,
    onEvent() {},
    onTrained() {},
    onFailed() {},
    ...change,
  });
const test = (files, change = {}) =>
  treadle.testFiles(files, { core, data: plain.test, shape, onTested() {}, ...change });
const complain = () => {
  throw new Error('from the caller');
};
/** Aborts from inside the call, at the first event. */
const abortAtFirst = (call) => {
  const controller = new AbortController();
  return call(controller.signal, () => controller.abort());
};
const rows = plain.train.labels.length;
const network = (inputs = plain.train.images) => {
  const model = treadle.classifierModel({ ...shape, hidden: [8], dropout: 0.5 });
  const training = { loss: { type: 'crossEntropy' }, optimizer: { type: 'adam' } };
  const made = new treadle.Network(core, model, { batchSize: 32, training, sets: [{ rows }] });
  made.load(0, { inputs, targets: plain.train.labels });
  return made;
};
const points = {
  x: [
    [0, 0],
    [0, 1],
    [1, 0],
    [1, 1],
  ],
  y: [0, 1, 1, 0],
};
const fit = async (data, options) => {
  const model = await treadle.createModel(treadle.mlp({ inputs: 2, hidden: [4], outputs: 2 }));
  await model.fit(data, options);
  await treadle.loadModel(model.save());
  model.dispose();
};
writeFileSync(path('broken.safetensors'), 'not weights');
writeFileSync(path('broken.png'), '\x89PNG\r\n\x1a\n and no more');

/** Each call with how it must end: well, or with an error of a code; `caller` is an error of the caller's own. */
const CALLS = [
  ['well', 'runAll', () => treadle.runAll({ ...choice, settings })],
  ['range', 'runAll, a wrong setting', () => treadle.runAll({ ...choice, settings: { epochs: 0 } })],
  ['not-found', 'runAll, no data', () => treadle.runAll({ ...choice, settings, data: path('nothing') })],
  [
    'caller',
    'runAll, a listener that throws',
    () => treadle.runAll({ ...choice, settings, onEvent: complain }),
  ],
  [
    'well',
    'runAll, aborted',
    () =>
      abortAtFirst((signal, abort) =>
        treadle.runAll({ ...choice, settings: { ...settings, epochs: 100_000 }, signal, onEvent: abort }),
      ),
  ],
  ['interrupted', 'runAll, aborted before', () => treadle.runAll({ ...choice, signal: AbortSignal.abort() })],
  ['well', 'trainJobs', () => train(jobs(2))],
  // No check refuses a BigInt zero, and arithmetic on it ends the thread with a TypeError.
  [
    'well',
    'trainJobs, a thread that dies',
    () => train(jobs(2).map((job) => ({ ...job, spec: { ...job.spec, dropout: 0n } }))),
  ],
  [
    'well',
    'trainJobs, a model that diverges',
    () => train(jobs(50).map((job) => ({ ...job, learningRate: 1e30 }))),
  ],
  ['caller', 'trainJobs, a callback that throws', () => train(jobs(2), { onTrained: complain })],
  [
    'interrupted',
    'trainJobs, aborted',
    () => abortAtFirst((signal, abort) => train(jobs(100_000), { signal, onEvent: abort })),
  ],
  [
    'well',
    'testFiles',
    () => test([path('weights/a_weights_0.01.pkl'), path('broken.safetensors'), path('none')]),
  ],
  [
    'caller',
    'testFiles, a callback that throws',
    () => test([path('none'), path('none')], { onTested: complain }),
  ],
  [
    'interrupted',
    'testFiles, aborted',
    () => abortAtFirst((signal, abort) => test(Array(500).fill(path('none')), { signal, onTested: abort })),
  ],
  [
    'worker',
    'testFiles, a thread that dies',
    () => test([path('weights/a_weights_0.01.pkl')], { core: { ...core, kernels: null } }),
  ],
  ['not-found', 'loadDataset, no folder', () => treadle.loadDataset({ data: path('nothing'), verify: true })],
  [
    'checksum',
    'loadDataset, another dataset',
    () => treadle.loadDataset({ data: path('data'), verify: true }),
  ],
  ['well', 'loadWeights', () => treadle.loadWeights(path('weights/a_weights_0.01.safetensors'))],
  ['format', 'loadWeights, a broken file', () => treadle.loadWeights(path('broken.safetensors'))],
  ['not-found', 'describeTensors, no file', () => treadle.describeTensors(path('none'))],
  ['format', 'readImage, a broken file', () => treadle.readImage(path('broken.png'), 6, 5)],
  ['usage', 'loadCore, no such build', () => treadle.loadCore({ build: 'fast' })],
  ['shape', 'Network, data that does not fit', () => network(new Uint8Array(1))],
  [
    'well',
    'Network',
    () => {
      const made = network();
      made.training.begin(Uint32Array.from({ length: 64 }, (_, index) => index));
      made.training.step(0, 32, 0.01);
      made.predict(plain.test.images);
      made.dispose();
    },
  ],
  ['well', 'a model', () => fit(points, { epochs: 3 })],
  [
    'range',
    'a model, NaN',
    () =>
      fit(
        {
          ...points,
          x: [
            [0, 0],
            [0, Number.NaN],
            [1, 0],
            [1, 1],
          ],
        },
        {},
      ),
  ],
  ['interrupted', 'a model, stopped', () => fit(points, { signal: AbortSignal.abort() })],
  ['format', 'parseResults', () => treadle.parseResults('{', 'results.json')],
];

/** How a call ended, as CALLS names it. */
async function ending(call) {
  try {
    await call();
    return 'well';
  } catch (error) {
    if (error instanceof treadle.TreadleError) return error.code;
    return error.message === 'from the caller' ? 'caller' : `${error.stack}`;
  }
}

const calls = [];
for (const [expected, name, call] of CALLS) {
  offences.length = 0;
  const ended = await ending(call);
  const threads = process
    .getActiveResourcesInfo()
    .filter((what) => what === 'MessagePort' || what === 'Worker');
  calls.push({ name, expected, ended, offences: [...offences], threads });
}
const listenedTo = process.eventNames().filter((name) => !listenedToBefore.includes(name));
writeFileSync(
  1,
  `${JSON.stringify({ calls, exitCode: process.exitCode ?? null, listenedTo: listenedTo.map(String) })}\n`,
);
