import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadDataset, runAll } from '../dist/experiment/index.js';
import {
  type BuildChoice,
  ERROR_CODES,
  loadCore,
  loadWeights,
  mlp,
  Network,
  TreadleError,
} from '../dist/node.js';
import { smallJob } from './reliability/small-job.js';
import { failure } from './support/errors.js';
import { temporaryFolder } from './support/folder.js';
import { writeIdxDataset } from './support/idx.js';

const DOCS = readFileSync(new URL('../docs/errors.md', import.meta.url), 'utf8');

/** The cells of the table of codes, a row each. */
const rows = [...DOCS.matchAll(/^\| `([a-z-]+)` \| (.+) \| (.+) \| `(.+)` \|$/gm)].map((row) => row.slice(1));

describe('docs/errors.md', () => {
  it('lists every code, in the order of ERROR_CODES', () => {
    expect(rows.map(([code]) => code)).toEqual([...ERROR_CODES]);
  });

  it('gives each an example of one sentence', () => {
    for (const [code, , , example] of rows) expect(`${code}: ${example}`).toMatch(/^[a-z-]+: .+\.$|\)\.$/);
  });

  const core = loadCore({ build: 'simd' });
  const network = async (pixels: number) => {
    const made = new Network(await core, mlp({ inputs: 784, hidden: [8], outputs: 10, inputType: 'u8' }), {
      batchSize: 2,
      training: { loss: { type: 'crossEntropy' }, optimizer: { type: 'adam' } },
      sets: [{ rows: 1 }],
    });
    made.load(0, { inputs: new Uint8Array(pixels), targets: new Uint8Array(1) });
    made.training.begin(Uint32Array.of(0));
    return made;
  };
  const provoked: [code: string, (folder: string) => unknown][] = [
    ['usage', () => loadCore({ build: 'fast' as BuildChoice })],
    ['not-found', (folder) => loadWeights(join(folder, 'model.pkl'))],
    [
      'format',
      async (folder) => {
        await writeFile(join(folder, 'model.pkl'), '\x80\x04cos\nsystem\n.', 'latin1');
        await loadWeights(join(folder, 'model.pkl'));
      },
    ],
    ['shape', () => network(20)],
    ['range', async () => (await network(784)).training.step(0, 1, 0)],
    [
      'data',
      async (folder) => {
        const part = { images: new Uint8Array(4), labels: new Uint8Array(4), height: 1, width: 1 };
        await writeIdxDataset(folder, { train: part, test: part });
        await loadDataset({ data: folder, verify: false });
      },
    ],
    ['diverged', () => smallJob([16, 8], 1, 1e30).train({})],
    ['interrupted', (out) => runAll({ out, signal: AbortSignal.abort() })],
  ];

  it.each(provoked)('shows %s as it is', async (code, provoke) => {
    const { message } = await failure(code, async () => provoke(await temporaryFolder()));
    // Folders, and the figures and names of one training, may be others.
    const general = (text: string) =>
      text
        .replace(/\S+\/(?=model|train)/g, '')
        .replace(/\b(?:\d\S*|NaN|Infinity|slim|small)(?=[ ,:)])/g, '*');
    expect(general(message)).toBe(general(rows.find(([name]) => name === code)![3]!));
  });

  it('names every property of an error', () => {
    const error = new TreadleError('range', 'x is 1; 2 is expected.', {
      subject: 'x',
      found: 1,
      expected: 2,
      cause: new Error('below'),
    });
    const own = Object.keys(error).filter((name) => name !== 'name');
    for (const name of [...own, 'message', 'cause'])
      expect(DOCS).toMatch(new RegExp(`^\\| \`${name}\` \\|`, 'm'));
  });
});
