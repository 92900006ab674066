import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { readTable as readPortable, type Table } from '../../dist/table/index.js';
import { readTable } from '../../dist/table/node.js';
import { failure } from '../support/errors.js';
import { temporaryFolder } from '../support/folder.js';

const CSV = 'a;b\n1,5;x\n2;\n';
const rowsOf = ({ columns, rows }: Table) =>
  Array.from({ length: rows }, (_, row) => columns.map(({ cells }) => cells.at(row)));
const EXPECTED = [
  [1.5, 'x'],
  [2, null],
];

describe('readTable of a File', () => {
  it.each([
    ['CSV', CSV, { separator: ';', decimal: ',' }],
    ['JSON', '[{"a": 1.5, "b": "x"}, {"a": 2}]', {}],
    ['JSON Lines', '{"a": 1.5, "b": "x"}\n{"a": 2}\n', {}],
    ['packed CSV', gzipSync(CSV), { separator: ';', decimal: ',' }],
    ['packed JSON', gzipSync('[{"a": 1.5, "b": "x"}, {"a": 2}]'), {}],
  ] as const)('reads %s by its content', async (_, content, options) => {
    const file = new Blob([content]);
    expect(rowsOf(await readPortable(file, options))).toEqual(EXPECTED);
    expect(rowsOf(await readTable(file, options))).toEqual(EXPECTED);
  });

  it.each([
    ['[{"a":1},', 'it is no JSON ('],
    ['{"a":1}\n{"a"', 'it is no JSON in line 2 ('],
    ['a,b\n1\n', 'row 1 below the names has 1 cells'],
    ['PAR1 and nothing more', ''],
    [gzipSync('a,b\n1,2\n'.repeat(99)).subarray(0, 30), 'it cannot be unpacked ('],
  ])('says of %s what it says of a file on disk', async (content, words) => {
    const folder = await temporaryFolder();
    const path = join(folder, 'mine');
    await writeFile(path, content);
    const there = await failure('format', () => readTable(path));
    const here = await failure('format', () =>
      readPortable(Object.assign(new Blob([content]), { name: 'mine' })),
    );
    expect(here.message).toContain(`mine: ${words}`);
    // What an unpacker says of its own is its own.
    const plain = (text: string) => text.replace(path, 'mine').replace(/unpacked \(.*\)/, 'unpacked');
    expect(plain(here.message)).toBe(plain(there.message));
  });

  it('refuses what is no file', async () => {
    for (const none of [null, 'mine.csv', new Uint8Array(3)]) {
      const { message } = await failure('usage', () => readPortable(none as unknown as Blob));
      expect(message).toMatch(/^file is .*; a File or Blob is expected\.$/);
    }
  });
});
