import { describe, expect, it } from 'vitest';
import { encodeTable, parseCsv, prepare, splitTable } from '../../dist/table/index.js';
import { failure } from '../support/errors.js';

const TABLE = parseCsv(
  `size,colour,kind\n${Array.from({ length: 40 }, (_, row) => `${row},${row % 3 ? 'red' : 'blue'},${row % 2 ? 'a' : 'b'}\n`).join('')}`,
);

describe('rows by encoders that were learnt on others', () => {
  const { rest, held } = splitTable(TABLE, { share: 0.25, stratify: 'kind' });
  const { encoder, x, y, spec } = prepare(rest, { target: 'kind' });

  it('are what prepare makes of its own rows', () => {
    expect(encodeTable(rest, encoder)).toEqual({ x, y });
  });

  it('have as many features, and their own targets', () => {
    const encoded = encodeTable(held, encoder);
    expect(Array.from(encoded.x.indices).every((feature) => feature < spec.input.features)).toBe(true);
    expect(encoded.y).toEqual([...held.columns[2]!.cells]);
    expect(encodeTable([{ size: 3, colour: 'green', kind: 'a' }], encoder).y).toEqual(['a']);
  });

  it('are refused where a column is missing', async () => {
    const error = await failure('data', () => encodeTable([{ size: 3, kind: 'a' }], encoder));
    expect(error.message).toContain('colour');
  });
});
