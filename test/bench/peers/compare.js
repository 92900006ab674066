// Trains the same epoch with treadle and its peers, one after the other, round after round, and compares within rounds:
//   npm install && node compare.js --data FOLDER --peers pytorch,jax
// A round runs each engine once in a process of its own, so that what slows the machine for a while slows all of them.
// The table goes to stderr, the figures as one JSON object to stdout. docs/performance.md says what each peer needs.
import { parseArgs } from 'node:util';
import { here, machine, median, outputLines, TREADLE, textTable } from './measure.js';

const OPTIONS = {
  /** Folder with the IDX files, gzip or plain. */
  data: { type: 'string' },
  /** Out of pytorch, tfjs and jax. */
  peers: { type: 'string', default: 'pytorch,jax' },
  model: { type: 'string', default: 'large1' },
  'batch-size': { type: 'string', default: '256' },
  /** Samples of treadle's and PyTorch's epoch. */
  samples: { type: 'string', default: '12800' },
  /** Samples of the slow peers' epoch; times are compared for one sample. */
  'slow-samples': { type: 'string', default: '2048' },
  /** Threads of treadle and PyTorch; TensorFlow.js and jax-js have one. */
  threads: { type: 'string', default: '1' },
  /** 0 shows only that the options are right. */
  rounds: { type: 'string', default: '5' },
  /** The Node that runs treadle and the JavaScript peers. */
  node: { type: 'string', default: process.execPath },
  /** The Python that has PyTorch. */
  python: { type: 'string', default: 'python3' },
  /** treadle's command line. */
  treadle: { type: 'string', default: TREADLE },
};

/** For each engine: the program, its arguments, and how to read seconds and samples from what it prints. */
function engines(options) {
  const { node, python, treadle, data, model, threads, samples } = options;
  const slow = options['slow-samples'];
  const job = ['--model', model, '--batch-size', options['batch-size'], '--data', data];
  const script = (name) => ({
    file: node,
    args: [here(name), ...job, '--samples', slow],
    read: (found) => found,
  });
  return {
    treadle: {
      file: node,
      args: [treadle, 'bench', ...job, '--samples', samples, '--threads', threads, '--json'],
      read: ({ epochs, node, v8, build, kernels, revectorized }) => {
        return { ...epochs[0], node, v8, build, kernels, revectorized };
      },
    },
    pytorch: {
      file: python,
      args: [here('pytorch_epoch.py'), ...job, '--samples', samples, '--threads', threads],
      read: (found) => found,
    },
    tfjs: script('tfjs_epoch.js'),
    jax: script('jax_epoch.js'),
  };
}

/** Runs an engine once; its figures with the microseconds that one sample takes. */
async function run({ file, args, read }, threads) {
  const lines = await outputLines(file, args, { threads });
  const figures = read(JSON.parse(lines.at(-1)));
  return { ...figures, microsecondsPerSample: (1e6 * figures.seconds) / figures.samples };
}

/** For each peer the medians over the rounds: its time, and how many times treadle's speed is its own. */
function summarise(names, rounds) {
  return names.map((name) => {
    const perSample = rounds.map((round) => round[name].microsecondsPerSample);
    const ratios = rounds.map((round, i) => perSample[i] / round.treadle.microsecondsPerSample);
    return { engine: name, microsecondsPerSample: median(perSample), ratio: median(ratios), ratios };
  });
}

function table(summary, rounds) {
  const rows = summary.map(({ engine, microsecondsPerSample, ratio, ratios }) => [
    engine,
    String(rounds[0]?.[engine].samples),
    microsecondsPerSample.toFixed(2),
    ratio.toFixed(2),
    ratios.map((value) => value.toFixed(2)).join(' '),
  ]);
  const head = ['engine', 'samples', 'us/sample', 'time : treadle', 'rounds'];
  return textTable(head, rows);
}

const { values: options } = parseArgs({ options: OPTIONS });
if (options.data === undefined)
  throw new Error('--data is missing; a folder with the IDX files is expected.');
const all = engines(options);
const names = ['treadle', ...options.peers.split(',')];
const unknown = names.find((name) => !(name in all));
if (unknown !== undefined) throw new Error(`--peers has ${unknown}; pytorch, tfjs and jax are known.`);

const rounds = [];
for (let number = 1; number <= Number(options.rounds); number++) {
  const round = {};
  for (const name of names) {
    round[name] = await run(all[name], options.threads);
    console.error(`round ${number}  ${name}  ${round[name].microsecondsPerSample.toFixed(2)} us/sample`);
  }
  rounds.push(round);
}
const summary = summarise(names, rounds);
console.error(`\n${table(summary, rounds)}`);
console.log(JSON.stringify({ machine: machine(), options, summary, rounds }));
