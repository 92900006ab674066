// Runs every kernel spec of test/kernels on the debug, the optimised and the relaxed SIMD target, as many at a time as
// there are cores, and ends with one line of counts over all of them. The counts are also left in
// build/test-results/kernels.json, under the names that vitest's json reporter uses, so that one reader can add up both
// runners.
import { spawn } from 'node:child_process';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { relaxedSimd } from 'wasm-feature-detect';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const RESULTS = 'build/test-results';
const SPECS = 'test/kernels';
/** The one module that as-pect compiles for a target: optimising the core once takes half as long as once a spec. */
const ENTRY = 'build/kernels.spec.ts';
/** as-pect's own launcher is passed over: it takes no V8 flags and turns a crash into exit code 0. */
const AS_PECT = 'node_modules/@as-pect/cli/lib/test.js';
/** Longest line passed on: a crash inside the compiler prints its whole minified source. */
const MAX_LINE = 500;
/** as-pect's closing count, `[Tests]: 3 / 4`. */
const CLOSING_COUNT = /^\s*\[Tests\]: (\d+) \/ (\d+)$/;

/** The compiler options of each target, and the V8 flags its process needs: Node 20 has relaxed SIMD behind one. */
const TARGETS = [
  { name: 'simd', config: 'test/kernels/simd.asconfig.json', flags: [] },
  {
    name: 'relaxed',
    config: 'test/kernels/relaxed.asconfig.json',
    flags: (await relaxedSimd()) ? [] : ['--experimental-wasm-relaxed-simd'],
  },
  { name: 'debug', config: 'as-pect.asconfig.json', flags: [] },
];

/** Runs one target; resolves with its counts and its output. A run that broke off counts as one failure. */
async function run({ name, config, flags }) {
  const child = spawn(process.execPath, [...flags, AS_PECT, '--verbose', '--as-config', config], {
    env: { ...process.env, FORCE_COLOR: process.stdout.isTTY ? '2' : '0' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exit = new Promise((resolve, reject) => child.on('error', reject).on('close', resolve));
  const counts = { passed: 0, failed: 0 };
  const lines = [`\n=== kernels: ${name} ===`];
  const read = (stream, onLine) =>
    createInterface({ input: stream }).on('line', (line) => {
      lines.push(line.slice(0, MAX_LINE));
      onLine(line);
    });
  read(child.stderr, () => {});
  read(child.stdout, (line) => {
    const [, passed, total] = CLOSING_COUNT.exec(stripVTControlCharacters(line)) ?? [];
    if (total === undefined) return;
    counts.passed = Number(passed);
    counts.failed = Number(total) - counts.passed;
  });
  const code = await exit;
  const ranNothing = counts.passed + counts.failed === 0;
  if (counts.failed === 0 && (code !== 0 || ranNothing)) {
    lines.push(`kernels: ${name} broke off with exit code ${code}; counted as one failure.`);
    counts.failed = 1;
  }
  return { ...counts, lines };
}

/** Runs the targets that are left in `queue`, one after another, each one's output printed whole; adds their counts. */
async function drain(queue) {
  for (let target = queue.shift(); target !== undefined; target = queue.shift()) {
    const { passed, failed, lines } = await run(target);
    console.log(lines.join('\n'));
    total.passed += passed;
    total.failed += failed;
  }
}

process.chdir(ROOT);
mkdirSync(RESULTS, { recursive: true });
const specs = readdirSync(SPECS).filter((name) => name.endsWith('.spec.ts'));
writeFileSync(ENTRY, specs.map((name) => `import '../${SPECS}/${name.slice(0, -3)}';\n`).join(''));
const total = { passed: 0, failed: 0 };
const queue = [...TARGETS];
await Promise.all(Array.from({ length: Math.min(queue.length, availableParallelism()) }, () => drain(queue)));
writeFileSync(
  `${RESULTS}/kernels.json`,
  JSON.stringify({ numPassedTests: total.passed, numFailedTests: total.failed, numPendingTests: 0 }),
);
console.log(`${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed === 0 ? 0 : 1;
