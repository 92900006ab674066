import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ERROR_CODES, TreadleError } from '../dist/index.js';

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
