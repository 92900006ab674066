import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
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
const EXPECTED = {
  weights: '5b2874efefcf52a4d7d4145ffe012722a4e4eba17744513ad8366ed2d68a143a',
  optimizer: '68f4afcee1476c451a81eebe1be1b2988379244e213a57f3899714bc14f18576',
  answers: '9eccfbd521ac78f116b5cdc83938be8b123c5b12f14a9cd13d56b11a46a2d30a',
};

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
