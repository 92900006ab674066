// Trains the twelve models with treadle's run-all and with PyTorch, one after the other, round after round, and compares
// within rounds:
//   node grid.js --data FOLDER
// treadle is one process with as many jobs and threads as there are processes of PyTorch; these have one thread each,
// run at the same time, and share the architectures, whose rates are chained. Both save and test every model, and the
// times are of whole processes, from start to end. The table goes to stderr, the figures as one JSON object to stdout.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { CLASSES, INPUTS, MODELS } from './job.js';
import { here, machine, median, outputLines, TREADLE, textTable } from './measure.js';

const RATES = [0.005, 0.004, 0.003, 0.001];

/** Test accuracy that every model must reach: twice that of guessing, and reached after a few thousand images. */
const LEAST_ACCURACY = 2 / CLASSES;

const OPTIONS = {
  /** Folder with the IDX files, gzip or plain. */
  data: { type: 'string' },
  epochs: { type: 'string', default: '10' },
  'batch-size': { type: 'string', default: '256' },
  /** Training images of those that validation leaves; default: all. */
  'train-samples': { type: 'string' },
  /** Processes of PyTorch, and jobs and threads of treadle. */
  processes: { type: 'string', default: '2' },
  /** 0 shows only that the options are right. */
  rounds: { type: 'string', default: '1' },
  /** The Node that runs treadle. */
  node: { type: 'string', default: process.execPath },
  /** The Python that has PyTorch. */
  python: { type: 'string', default: 'python3' },
  /** treadle's command line. */
  treadle: { type: 'string', default: TREADLE },
};

/** Multiply-adds of a training step for one sample: forward, weight gradients, all input gradients but the first. */
function chainCost(hidden) {
  const sizes = [INPUTS, ...hidden, CLASSES];
  const layers = sizes.slice(1).map((outputs, layer) => sizes[layer] * outputs);
  return layers.reduce((sum, layer) => sum + 3 * layer, -layers[0]);
}

/** The architectures of each process: the most expensive first, each to the process that has the least to do. */
function shareChains(processes) {
  const shares = Array.from({ length: Math.min(processes, Object.keys(MODELS).length) }, () => {
    return { cost: 0, models: [] };
  });
  const chains = Object.entries(MODELS).map(([model, hidden]) => ({ model, cost: chainCost(hidden) }));
  for (const { model, cost } of chains.sort((a, b) => b.cost - a.cost)) {
    const least = shares.reduce((best, share) => (share.cost < best.cost ? share : best));
    least.models.push(model);
    least.cost += cost;
  }
  return shares.map(({ models }) => models);
}

/** Runs `work` with a temporary folder; its result with the seconds that it took. */
async function timed(work) {
  const folder = await mkdtemp(join(tmpdir(), 'treadle-grid-'));
  try {
    const begin = performance.now();
    const result = await work(folder);
    return { ...result, seconds: (performance.now() - begin) / 1000 };
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function trainTreadle({ node, treadle, processes }, job) {
  const threads = ['--jobs', processes, '--threads', processes];
  const args = [resolve(treadle), 'run-all', ...job, ...threads, '--json'];
  return timed(async (cwd) => {
    const events = await outputLines(node, args, { threads: '1', cwd });
    const { results } = JSON.parse(events.at(-1));
    const { environment, config, dataset, models } = JSON.parse(await readFile(join(cwd, results), 'utf8'));
    const { mode, jobs, threads } = config;
    return { ...environment, mode, jobs, threads, trainSamples: dataset.trainSamples, models };
  });
}

async function trainPytorch({ python, processes }, job) {
  return timed(async (weights) => {
    const shares = await Promise.all(
      shareChains(Number(processes)).map(async (names) => {
        const options = ['--models', names.join(), '--learning-rates', RATES.join(), '--weights', weights];
        const lines = await outputLines(python, [here('pytorch_grid.py'), ...job, ...options], {
          threads: '1',
        });
        const { seconds, models, ...engine } = JSON.parse(lines.at(-1));
        return { names, seconds, models, engine };
      }),
    );
    return {
      ...shares[0].engine,
      processes: shares.map(({ names, seconds }) => ({ models: names, seconds })),
      models: shares.flatMap(({ models }) => models),
    };
  });
}

/** One round's figures of an engine, without the epochs, when the whole grid was trained and tested. */
function checked(name, { models, ...figures }) {
  const expected = Object.keys(MODELS).flatMap((model) => RATES.map((rate) => `${model} ${rate}`));
  const tested = models.filter(({ test }) => test?.accuracy >= LEAST_ACCURACY);
  const found = tested.map(({ model, learningRate }) => `${model} ${learningRate}`);
  const missing = expected.filter((title) => !found.includes(title));
  if (missing.length > 0 || found.length > expected.length) {
    const rule = `all ${expected.length} models, each with a test accuracy of ${LEAST_ACCURACY} at least`;
    throw new Error(`${name} has no such result for ${missing.join(', ')}; ${rule}, are expected.`);
  }
  const accuracies = Object.fromEntries(found.map((title, i) => [title, tested[i].test.accuracy]));
  return { ...figures, accuracies };
}

function table(rounds) {
  const rows = rounds.map(({ treadle, pytorch, ratio }, index) => [
    String(index + 1),
    treadle.seconds.toFixed(1),
    pytorch.seconds.toFixed(1),
    pytorch.processes.map(({ models, seconds }) => `${models.join(' + ')}: ${seconds.toFixed(1)}`).join(', '),
    ratio.toFixed(2),
    ...[treadle, pytorch].map(({ accuracies }) => Math.max(...Object.values(accuracies)).toFixed(4)),
  ]);
  const head = ['round', 'treadle s', 'PyTorch s', 'its processes, after start-up', 'PyTorch : treadle'];
  return textTable([...head, 'best test accuracy', "PyTorch's"], rows);
}

const { values: options } = parseArgs({ options: OPTIONS });
if (options.data === undefined)
  throw new Error('--data is missing; a folder with the IDX files is expected.');
const samples = options['train-samples'];
const job = [
  ...['--data', resolve(options.data), '--epochs', options.epochs, '--batch-size', options['batch-size']],
  ...(samples === undefined ? [] : ['--train-samples', samples]),
];

const rounds = [];
for (let number = 1; number <= Number(options.rounds); number++) {
  const treadle = checked('treadle', await trainTreadle(options, job));
  console.error(`round ${number}  treadle  ${treadle.seconds.toFixed(1)} s`);
  const pytorch = checked('PyTorch', await trainPytorch(options, job));
  console.error(`round ${number}  pytorch  ${pytorch.seconds.toFixed(1)} s`);
  if (treadle.trainSamples !== pytorch.trainSamples)
    throw new Error(
      `treadle trained on ${treadle.trainSamples} images, PyTorch on ${pytorch.trainSamples}; as many are expected.`,
    );
  rounds.push({ treadle, pytorch, ratio: pytorch.seconds / treadle.seconds });
}
console.error(`\n${table(rounds)}`);
const ratio = median(rounds.map((round) => round.ratio));
console.error(`\nPyTorch : treadle, median of ${rounds.length}: ${ratio.toFixed(2)}`);
console.log(JSON.stringify({ machine: machine(), options, ratio, rounds }));
