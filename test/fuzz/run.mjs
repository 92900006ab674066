// Fuzzes the readers: `npm run fuzz -- --help`. Ends with a table and exit code 0, or names the inputs that a reader
// did not stand, saves them in build/fuzz and ends with exit code 1.
import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { corpusOf } from './corpus.mjs';
import { inputOf } from './inputs.mjs';
import { tapeOf } from './tape.mjs';
import { encoders, TARGETS } from './targets.mjs';

const HELP = `npm run fuzz -- [options]

  --reader NAME    one of ${Object.keys(TARGETS).join(', ')}; may be given several times (default: all)
  --inputs N       inputs for each reader
  --seconds N      time for all readers together (default: 60, when --inputs is not given)
  --seed N         seed of the inputs (default: 1)
  --from N         number of the first input, to go on where another run ended
  --replay FILE    read one file, such as build/fuzz/png-1-2345; the name tells the reader
  --json           print the outcome as JSON`;

/** An input that takes longer than this, alone and at best of three, is a hang. */
const HANG_MS = 1000;
/** A thread that stays at one input so long is stopped and the input tried alone, for at most so long. */
const PATIENCE_MS = 3000;
const REPLAY_MS = 20_000;
const HEAP_MB = 512;
const FAILURES = 20;
const SAVED = fileURLToPath(new URL('../../build/fuzz', import.meta.url));

const { values: options } = parseArgs({
  options: {
    reader: { type: 'string', multiple: true },
    inputs: { type: 'string' },
    seconds: { type: 'string' },
    seed: { type: 'string', default: '1' },
    from: { type: 'string', default: '0' },
    replay: { type: 'string' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

/** Runs a thread over inputs until it ends, hangs or dies; resolves with what it told last and how it ended. */
function runThread(data, timeoutMs) {
  const progress = new Int32Array(new SharedArrayBuffer(4)).fill(-1);
  const worker = new Worker(new URL('worker.mjs', import.meta.url), {
    workerData: { ...data, progress },
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MB, maxYoungGenerationSizeMb: 128 },
  });
  return new Promise((resolve) => {
    let last = null;
    let seen = { index: -2, since: Date.now() };
    const finish = (ending) => {
      clearInterval(watch);
      worker.terminate().then(() => resolve({ ending, last, index: Atomics.load(progress, 0) }));
    };
    const watch = setInterval(() => {
      const index = Atomics.load(progress, 0);
      if (index !== seen.index) seen = { index, since: Date.now() };
      else if (index >= 0 && Date.now() - seen.since > timeoutMs) finish('hung');
      else if (index < 0 && Date.now() - seen.since > REPLAY_MS + timeoutMs) finish('hung');
    }, 100);
    worker.on('message', (message) => {
      last = message;
      if (message.kind !== 'state') finish('ended');
    });
    worker.on('error', (error) => finish(`died: ${error.message}`));
  });
}

/** Fuzzes one reader; a thread that hangs or dies is followed by another from the next input on. */
async function fuzzReader(reader, seed, from, inputs, until) {
  const total = { reader, seed, tried: 0, read: 0, refused: 0, sentences: 0, failures: [] };
  for (let next = from; next < inputs && Date.now() < until && total.failures.length < FAILURES; ) {
    const data = { reader, seed, from: next, inputs, until };
    const { ending, last, index } = await runThread(data, PATIENCE_MS);
    if (last !== null) add(total, last.stats);
    if (ending === 'ended') break;
    if (index < 0) throw new Error(`the fuzzer ${ending} before its first input`);
    const again = await replayInput({ reader, seed, replay: { index } });
    const problem = again.problem ?? (ending === 'hung' ? null : ending);
    if (problem !== null) total.failures.push({ index, problem });
    next = index + 1;
  }
  total.failures = await confirmed(total.failures, reader, seed);
  for (const slow of total.slowest?.filter(({ index, value }) => index >= 0 && value > HANG_MS) ?? []) {
    const { problem } = await replayInput({ reader, seed, replay: { index: slow.index } });
    if (problem !== null) total.failures.push({ index: slow.index, problem });
  }
  return total;
}

/** The failures without those of allocation that an input does not show alone: the heap also grows by what V8 does. */
async function confirmed(failures, reader, seed) {
  const kept = [];
  for (const { index, problem } of failures) {
    const isOfHeap = index >= 0 && problem.startsWith('allocated');
    const again = isOfHeap ? await replayInput({ reader, seed, replay: { index } }) : { problem };
    if (again.problem !== null) kept.push({ index, problem: again.problem });
  }
  return kept;
}

function add(total, stats) {
  for (const key of ['tried', 'read', 'refused']) total[key] += stats[key];
  total.sentences = Math.max(total.sentences, stats.sentences);
  total.failures.push(...stats.failures);
  total.slowest = stats.slowest;
  total.worstTime = larger(total.worstTime, stats.worstTime);
  total.worstAllocation = larger(total.worstAllocation, stats.worstAllocation);
}

function larger(one, other) {
  return (one?.value ?? -1) >= (other?.value ?? -1) ? one : other;
}

/** Reads one input in a thread of its own; `problem` is null when all is well. */
async function replayInput(data) {
  const { ending, last } = await runThread({ inputs: 0, until: 0, from: 0, ...data }, 0);
  if (ending === 'hung') return { problem: `did not end in ${REPLAY_MS} ms` };
  if (ending !== 'ended') return { problem: ending };
  const problem = last.problem ?? (last.time > HANG_MS ? `took ${last.time.toFixed(0)} ms` : null);
  return { ...last, problem };
}

/** Writes the input of a failure to a file and returns its path. */
function save(reader, seed, index) {
  mkdirSync(SAVED, { recursive: true });
  const path = join(SAVED, `${reader}-${seed}-${index}`);
  const corpus = corpusOf(reader, encoders);
  writeFileSync(path, index < 0 ? '' : inputOf(reader, corpus, tapeOf(reader, seed, index)));
  return path;
}

function print(outcomes) {
  const rows = outcomes.map((outcome) => [
    outcome.reader,
    outcome.tried,
    outcome.read,
    outcome.refused,
    outcome.sentences,
    `${(outcome.worstTime?.value ?? 0).toFixed(3)} ms`,
    `${((outcome.worstAllocation?.value ?? 0) / 2 ** 20).toFixed(2)} MiB`,
    outcome.failures.length,
  ]);
  const heading = [
    'reader',
    'tried',
    'read',
    'refused',
    'sentences',
    'slowest',
    'most allocated',
    'failures',
  ];
  for (const row of [heading, ...rows]) console.log(row.map((cell) => String(cell).padEnd(14)).join(' '));
}

async function replayFile(file) {
  const reader = options.reader?.[0] ?? basename(file).split('-')[0];
  const outcome = await replayInput({ reader, seed: 0, replay: { file } });
  console.log(JSON.stringify(outcome, null, 2));
  return outcome.problem === null;
}

async function fuzzAll() {
  const readers = options.reader ?? Object.keys(TARGETS);
  const inputs = options.inputs === undefined ? 2 ** 31 - 1 : Number(options.inputs);
  const seconds =
    options.inputs === undefined ? Number(options.seconds ?? 60) : Number(options.seconds ?? 1e9);
  const outcomes = [];
  for (const reader of readers) {
    const until = Date.now() + (1000 * seconds) / readers.length;
    outcomes.push(await fuzzReader(reader, Number(options.seed), Number(options.from), inputs, until));
  }
  const failures = outcomes.flatMap(({ reader, seed, failures }) =>
    failures.map(({ index, problem }) => ({ reader, problem, file: save(reader, seed, index) })),
  );
  if (options.json) console.log(JSON.stringify({ outcomes, failures }));
  else {
    print(outcomes);
    for (const { reader, problem, file } of failures) console.log(`\n${reader} ${problem}\n  input: ${file}`);
  }
  return failures.length === 0;
}

if (options.help) console.log(HELP);
else process.exitCode = (await (options.replay ? replayFile(options.replay) : fuzzAll())) ? 0 : 1;
