/**
 * Does memory stay flat? One process does, at full speed, what an hour of ordinary use does, again and again:
 * a round is one `run-all` of the twelve models (which takes about 157 s on two cores) and, for each of those seconds,
 * one prediction by a network made for it from a saved file. 23 rounds are an hour. The images are few and small and the
 * models narrow, so that a round takes seconds; their number, depth and epochs are the real ones.
 *
 *   npm run soak -- [--rounds N] [--minutes N] [--json FILE]
 *
 * It runs with --no-opt: V8's optimised code of the chart library grows for hours, and would hide what is kept.
 * After each round garbage is collected and the process's memory noted. At the end a line is fitted to each figure by
 * least squares; the first half of the rounds is left out, in which caches of bounded size fill (the chart library's
 * hold some 3 MB). Exits with 1 when one grows by more than two standard errors.
 */
import { existsSync, readdirSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { runAll } from '../../dist/experiment/index.js';
import { fromBlocks } from '../../dist/model/classifier.js';
import { classifierModel, loadCore, loadWeights, Network } from '../../dist/node.js';
import { fitLine } from './fit-line.js';

const ROUNDS_PER_HOUR = 23;
const PREDICTIONS = 157;
const ARCHITECTURES = [
  { name: 'large1', hidden: [128, 64, 32, 16] },
  { name: 'large2', hidden: [64, 32, 16, 8] },
  { name: 'small', hidden: [16, 8] },
];
const SIDE = 12;
const CLASSES = 10;
const WARM_UP = 0.5;
const MIB = 2 ** 20;

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: String(4 * ROUNDS_PER_HOUR) },
    minutes: { type: 'string', default: 'Infinity' },
    json: { type: 'string' },
  },
});
const rounds = Number(values.rounds);
const deadline = performance.now() + Number(values.minutes) * 60_000;
if (typeof gc !== 'function' || !(rounds >= 8)) {
  console.error("Run it as 'npm run soak', with at least 8 rounds.");
  process.exit(2);
}

const folder = await mkdtemp(join(tmpdir(), 'treadle-soak-'));
try {
  await writeData(join(folder, 'data'), 600, 100);
  const samples = await soak();
  report(samples);
  if (values.json !== undefined) await writeFile(values.json, JSON.stringify(samples));
} finally {
  await rm(folder, { recursive: true, force: true });
}

/** Runs the rounds and returns the memory after each. */
async function soak() {
  const engine = await loadCore();
  const samples = [];
  console.log('round  rss MiB  heap  external  arrayBuffers  threads  files');
  while (samples.length < rounds && performance.now() < deadline) {
    await trainAndReport();
    await predict(engine);
    await collect();
    const { rss, heapUsed, external, arrayBuffers } = process.memoryUsage();
    samples.push({ rss, heapUsed, external, arrayBuffers, threads: count('task'), files: count('fd') });
    const { threads, files } = samples.at(-1);
    const mib = [rss, heapUsed, external, arrayBuffers].map((bytes) => (bytes / MIB).toFixed(2));
    console.log([samples.length, ...mib, threads, files].join('  '));
  }
  return samples;
}

/** The whole of `run-all`, on the small images. */
async function trainAndReport() {
  const { results } = await runAll({
    data: join(folder, 'data'),
    verify: false,
    settings: { architectures: ARCHITECTURES, validationSize: 100, batchSize: 128, jobs: 2, threads: 2 },
    weights: join(folder, 'weights'),
    out: join(folder, 'runs'),
    replace: true,
  });
  if (results.models.some(({ test }) => test === null)) throw new Error('a model was not trained');
  await rm(join(folder, 'runs'), { recursive: true });
}

/** As many predictions as a run takes seconds, the networks of the three architectures in turn. */
async function predict(engine) {
  const image = Uint8Array.from({ length: SIDE * SIDE }, (_, pixel) => pixel);
  for (let prediction = 0; prediction < PREDICTIONS; prediction++) {
    const { name } = ARCHITECTURES[prediction % ARCHITECTURES.length];
    const { inputs, hidden, classes, tensors } = await loadWeights(
      join(folder, 'weights', `${name}_weights_0.001.safetensors`),
    );
    const model = classifierModel({ inputs, hidden, classes, dropout: 0 });
    const network = new Network(engine, model);
    network.setTensors(fromBlocks(model, tensors));
    if (!Number.isFinite(network.predict(image)[0])) throw new Error('a prediction is no number');
    network.dispose();
  }
}

/** Collects garbage, with the turns of the event loop in which memory outside the heap is let go. */
async function collect() {
  for (let time = 0; time < 4; time++) {
    gc();
    await setTimeout(20);
  }
}

/** Entries of a folder below /proc/self; null on systems without. */
function count(name) {
  const path = `/proc/self/${name}`;
  return existsSync(path) ? readdirSync(path).length : null;
}

function report(samples) {
  const first = Math.floor(samples.length * WARM_UP);
  console.log(`\n${samples.length} rounds (${(samples.length / ROUNDS_PER_HOUR).toFixed(2)} hours' use);`);
  console.log(
    `growth a round and its standard error, in bytes, over rounds ${first + 1} to ${samples.length}:`,
  );
  for (const name of ['rss', 'heapUsed', 'external', 'arrayBuffers']) {
    const { slope, error } = fitLine(samples.slice(first).map((sample) => sample[name]));
    const grows = slope > 2 * error;
    if (grows) process.exitCode = 1;
    const verdict = grows ? 'GROWS' : slope < -2 * error ? 'falls' : 'zero within noise';
    console.log(`${name.padEnd(12)}  ${slope.toFixed(0)} +- ${error.toFixed(0)}  ${verdict}`);
  }
  for (const name of ['threads', 'files']) {
    const counts = samples.slice(first).map((sample) => sample[name]);
    console.log(`${name.padEnd(12)}  ${Math.min(...counts)} to ${Math.max(...counts)}`);
  }
}

/** Images that a network learns: a class's pixels are bright where they are its own. */
async function writeData(path, train, test) {
  await mkdir(path);
  for (const [prefix, samples] of [
    ['train', train],
    ['t10k', test],
  ]) {
    const labels = Uint8Array.from({ length: samples }, (_, index) => index % CLASSES);
    const images = Uint8Array.from({ length: samples * SIDE * SIDE }, (_, index) => {
      const label = labels[Math.floor(index / (SIDE * SIDE))];
      return index % CLASSES === label ? 200 + (index % 53) : index % 31;
    });
    await writeFile(join(path, `${prefix}-images-idx3-ubyte`), idx([samples, SIDE, SIDE], images));
    await writeFile(join(path, `${prefix}-labels-idx1-ubyte`), idx([samples], labels));
  }
}

function idx(dimensions, content) {
  const words = [0x0800 + dimensions.length, ...dimensions];
  const header = Buffer.alloc(4 * words.length);
  words.forEach((word, index) => {
    header.writeUInt32BE(word, 4 * index);
  });
  return Buffer.concat([header, content]);
}
