// Reads inputs one after another and judges each reader's answer. The number of the input at hand stands in shared
// memory, so that the thread that watches knows which one hangs or takes all memory.
import { readFileSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { corpusOf } from './corpus.mjs';
import { inputOf } from './inputs.mjs';
import { startMeter, stopMeter } from './meter.mjs';
import { tapeOf } from './tape.mjs';
import { encoders, TARGETS, TreadleError } from './targets.mjs';

const { reader, seed, from, inputs, until, replay, progress } = workerData;
const { read, check, limit } = TARGETS[reader];

/** The slowest and the greediest inputs are read again at the end, undisturbed. */
const WORST = 5;
/** Failures after which a reader is left. */
const FAILURES = 20;
const REPEATS = 5;

/** What a sentence may not hold: control characters, line ends and marks that turn the direction of writing. */
const UNPRINTABLE = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/u;
const LONGEST_MESSAGE = 8000;

const stats = { tried: 0, read: 0, refused: 0, sentences: 0, slowest: [], greediest: [], failures: [] };
const sentences = new Set();

/** Reads one input; returns its milliseconds, its bytes allocated and, when something is wrong, what. */
async function attempt(file) {
  const most = limit(file);
  // As a file is read: in memory of its own.
  const bytes = new Uint8Array(file);
  let value;
  let thrown;
  const start = performance.now();
  startMeter(most);
  try {
    value = await read(bytes);
  } catch (error) {
    thrown = error ?? new Error('nothing was thrown');
  }
  const allocated = stopMeter();
  const time = performance.now() - start;
  return { time, allocated, most, thrown, problem: judge(bytes, value, thrown, allocated, most) };
}

/**
 * Reads one input, again when it seems to take too much: what V8 compiles meanwhile is on the heap too, and is there
 * once, where an input takes the same each time.
 */
async function measure(file) {
  let outcome = await attempt(file);
  for (let left = 3; left > 0 && outcome.allocated > outcome.most; left--) {
    const again = await attempt(file);
    if (again.allocated < outcome.allocated) outcome = again;
  }
  return outcome;
}

function judge(bytes, value, thrown, allocated, most) {
  if (allocated > most) return `allocated ${allocated} bytes, more than ${most}`;
  if (thrown === undefined) {
    try {
      check(value, bytes);
      return null;
    } catch (error) {
      return `was read, but: ${error.message}`;
    }
  }
  if (!(thrown instanceof TreadleError)) return `threw ${thrown.stack}`;
  const { message } = thrown;
  if (UNPRINTABLE.test(message))
    return `threw a sentence with control characters: ${JSON.stringify(message)}`;
  // What the caller can say begins with its name: `spec is missing (the layers of x ...)`.
  const names = message.startsWith('x') || (thrown.code === 'usage' && / x\b/.test(message));
  if (!names || !message.endsWith('.')) return `threw no sentence: ${message}`;
  if (message.length > LONGEST_MESSAGE) return `threw a sentence of ${message.length} characters`;
  return null;
}

/** Notes an outcome; a sentence counts once, whatever numbers and names are in it. */
function note(index, { time, allocated, thrown, problem }) {
  stats.tried++;
  if (thrown === undefined) stats.read++;
  else stats.refused++;
  if (thrown instanceof TreadleError && sentences.size < 10_000) {
    sentences.add(
      thrown.message
        .replace(/"(\\.|[^"\\])*"/g, '"')
        .replace(/[\d,.]+/g, '0')
        .slice(0, 120),
    );
  }
  keep(stats.slowest, { index, value: time });
  keep(stats.greediest, { index, value: allocated });
  if (problem !== null && stats.failures.length < FAILURES) stats.failures.push({ index, problem });
}

/** Keeps the highest values of a list, sorted. */
function keep(list, entry) {
  if (list.length === WORST && list.at(-1).value >= entry.value) return;
  list.push(entry);
  list.sort((a, b) => b.value - a.value);
  list.length = Math.min(list.length, WORST);
}

/** The least that an input takes when it is read again: what the machine did meanwhile does not count. */
async function least(list, of, bytesOf) {
  const repeated = [];
  for (const { index } of list) {
    Atomics.store(progress, 0, index);
    const bytes = bytesOf(index);
    let value = Number.POSITIVE_INFINITY;
    for (let left = REPEATS; left > 0; left--) value = Math.min(value, (await attempt(bytes))[of]);
    repeated.push({ index, value });
  }
  return repeated.sort((a, b) => b.value - a.value)[0] ?? null;
}

async function fuzz() {
  const corpus = corpusOf(reader, encoders);
  const bytesOf = (index) => inputOf(reader, corpus, tapeOf(reader, seed, index));
  for (const file of corpus) note(-1, await measure(file));
  for (let index = from; index < inputs && Date.now() < until && stats.failures.length < FAILURES; index++) {
    Atomics.store(progress, 0, index);
    note(index, await measure(bytesOf(index)));
    // What zlib leaves to be closed piles up while the thread does not come to rest.
    if (index % 256 === 0) await setImmediate();
    if (index % 10_000 === 0) parentPort.postMessage({ kind: 'state', stats });
  }
  stats.sentences = sentences.size;
  const mutated = ({ index }) => index >= 0;
  stats.worstTime = await least(stats.slowest.filter(mutated), 'time', bytesOf);
  stats.worstAllocation = await least(stats.greediest.filter(mutated), 'allocated', bytesOf);
  parentPort.postMessage({ kind: 'end', stats });
}

/** Reads one file a few times and tells the best time. */
async function readAgain(bytes) {
  const outcomes = [];
  for (let left = 3; left > 0; left--) outcomes.push(await measure(bytes));
  parentPort.postMessage({
    kind: 'replayed',
    time: Math.min(...outcomes.map(({ time }) => time)),
    allocated: Math.min(...outcomes.map(({ allocated }) => allocated)),
    most: outcomes[0].most,
    answer: outcomes[0].thrown?.message ?? 'read',
    problem: outcomes.find(({ problem }) => problem !== null)?.problem ?? null,
  });
}

if (replay === undefined) await fuzz();
else if (replay.file !== undefined) await readAgain(readFileSync(replay.file));
else await readAgain(inputOf(reader, corpusOf(reader, encoders), tapeOf(reader, seed, replay.index)));
