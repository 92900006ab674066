// Compiles assembly/index.ts to build/<target>.wasm for every target of asconfig.json, on as many worker threads
// as there are cores. A target newer than all of its inputs is left alone.
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
/** What a build depends on, relative to ROOT; the lockfile stands for the compiler's version. */
const INPUTS = ['assembly', 'asconfig.json', 'package-lock.json', 'scripts/build-core.js'];

/** Newest modification under a file or folder, in ms. Folders count too: theirs changes when a file is deleted. */
function newestModification(path) {
  const stat = statSync(path);
  if (!stat.isDirectory()) return stat.mtimeMs;
  return Math.max(stat.mtimeMs, ...readdirSync(path).map((name) => newestModification(join(path, name))));
}

/** Modification time in ms, or -Infinity for a file that is not there. */
function modification(path) {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Number.NEGATIVE_INFINITY;
}

/** One line about a finished target. */
function describe(outFile, note) {
  const bytes = statSync(outFile).size.toLocaleString('en-US');
  return `${outFile.padEnd(22)} ${bytes.padStart(9)} bytes  ${note}`;
}

/** Writes through a temporary file, so that an interrupted build leaves no half module behind. */
function writeWhole(path, contents) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(`${path}.tmp`, contents);
  renameSync(`${path}.tmp`, path);
}

/** What asc says of every converging build that ends on a slightly larger module: nothing to act on. */
const CONVERGE_NOTE = /^Last converge was suboptimal\.$/gm;

/** Compiles one target; `messages` holds what asc printed, `failed` whether it gave up. */
async function compile(asc, target) {
  const begin = performance.now();
  const stderr = asc.createMemoryStream();
  const { error } = await asc.main(['--config', 'asconfig.json', '--target', target], {
    stdout: stderr,
    stderr,
    writeFile: writeWhole,
  });
  return {
    target,
    failed: error !== null,
    messages: stderr.toString().replace(CONVERGE_NOTE, '').trim(),
    seconds: (performance.now() - begin) / 1000,
  };
}

/** Worker thread: compiles the targets it is sent, one at a time. */
async function serve() {
  const { default: asc } = await import('assemblyscript/asc');
  parentPort.on('message', async (target) => parentPort.postMessage(await compile(asc, target)));
}

/** One worker thread that compiles targets from `queue` until it is empty; resolves with their results. */
async function drain(queue) {
  const worker = new Worker(new URL(import.meta.url));
  const results = [];
  for (let target = queue.shift(); target !== undefined; target = queue.shift()) {
    worker.postMessage(target);
    const [result] = await once(worker, 'message');
    results.push(result);
  }
  await worker.terminate();
  return results;
}

/** Compiles `targets` on as many workers as there are cores; resolves with a result for each, in any order. */
async function compileAll(targets) {
  const queue = [...targets];
  const workers = Math.min(queue.length, availableParallelism());
  return (await Promise.all(Array.from({ length: workers }, () => drain(queue)))).flat();
}

async function main() {
  process.chdir(ROOT);
  const outFiles = Object.entries(JSON.parse(readFileSync('asconfig.json', 'utf8')).targets).map(
    ([target, options]) => ({ target, outFile: options.outFile }),
  );
  const newestInput = Math.max(...INPUTS.map(newestModification));
  const stale = outFiles.filter(({ outFile }) => modification(outFile) <= newestInput);
  const results = await compileAll(stale.map(({ target }) => target));
  for (const { target, outFile } of outFiles) {
    const result = results.find((each) => each.target === target);
    if (result === undefined) {
      console.log(describe(outFile, 'up to date'));
    } else if (result.failed) {
      console.error(`${outFile} failed\n${result.messages}`);
      process.exitCode = 1;
    } else {
      console.log(describe(outFile, `${result.seconds.toFixed(1)} s`));
      if (result.messages) console.log(result.messages);
    }
  }
}

await (isMainThread ? main() : serve());
