import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { delimiter } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest';
import { CHROMIUM, serveProject, startChromium } from '../support/chromium.js';

// The builds without relaxed operations train to the same bytes in every JavaScript engine and on every machine.
// TREADLE_NODES names other versions of Node to try, as paths of their binaries, separated as in PATH. With
// `--reporter=verbose` each test prints its lines of the table: engine | build | SHA-256 of the weights.

/** What test/support/train-digest.mjs gives everywhere. It changes with the numerics, as every trained weight does. */
const EXPECTED: { weights: string; optimizer: string; answers: string } = JSON.parse(
  readFileSync(new URL('../support/digests.json', import.meta.url), 'utf8'),
);

/** The build that Node gets for what is asked for. */
const BUILDS: Record<string, string> = { strict: 'simd-mt', simd: 'simd' };

const others = (process.env.TREADLE_NODES ?? '').split(delimiter).filter((path) => path !== '');
const script = fileURLToPath(new URL('../support/train-on-node.mjs', import.meta.url));

/** Runs of this Node: V8's other compiler, and what a processor lacks, reach every operation of the core. */
const RUNS: [how: string, flags: string[]][] = [
  ['as it is', []],
  ['with the baseline compiler alone', ['--liftoff-only']],
  ['without AVX and FMA', ['--no-enable-avx', '--no-enable-fma3']],
];

/** Trains on a Node, with 128-bit operations as they are and joined where that Node can, and compares the bytes. */
async function trainOn(
  node: string,
  [how, flags]: (typeof RUNS)[number],
  asked: string,
  { annotate }: TestContext,
): Promise<void> {
  const { stdout } = await promisify(execFile)(node, [...flags, script, asked]);
  const { version, build, revectorized, digests } = JSON.parse(stdout);
  const line = `Node ${version} ${how} | ${build}`;
  await annotate(`${line} | ${digests.plain.weights}`);
  if (revectorized) await annotate(`${line}, operations joined | ${digests.joined.weights}`);
  expect(build).toBe(BUILDS[asked]);
  expect(digests, node).toEqual({ plain: EXPECTED, joined: EXPECTED });
}

describe.each(Object.keys(BUILDS))('asked for the build %s', (asked) => {
  describe.each(RUNS)('this Node %s', (how, flags) => {
    it('trains to the expected bytes', (context) => trainOn(process.execPath, [how, flags], asked, context));
  });

  it('each Node of TREADLE_NODES trains to the expected bytes', async (context) => {
    context.skip(others.length === 0, 'TREADLE_NODES names no Node');
    for (const node of others) await trainOn(node, RUNS[0]!, asked, context);
  });
});

let browser: Browser | undefined;
beforeAll(async () => {
  if (existsSync(CHROMIUM)) browser = await startChromium();
});
afterAll(() => browser?.close());

describe.each([
  ['may share memory between threads', true, 'simd-mt'],
  ['may not', false, 'simd'],
])('on a page that %s', (_, isolated, build) => {
  it('Chromium trains to the expected bytes in strict mode', async ({ annotate, skip }) => {
    skip(browser === undefined, `there is no ${CHROMIUM}`);
    const page = await browser!.newPage();
    await page.goto(`${await serveProject({ isolated })}/test/support/train-in-browser.html`);
    const trained = await page.evaluate<{ build: string; digests: typeof EXPECTED }>('train("strict")');
    await annotate(`Chromium ${browser!.version()} | ${trained.build} | ${trained.digests.weights}`);
    expect(trained).toEqual({ build, digests: EXPECTED });
  });
});
