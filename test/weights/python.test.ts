import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { toNumpy } from '../../dist/weights/naming.js';
import { decodePickle, encodePickle } from '../../dist/weights/pickle.js';
import type { FloatTensor } from '../../dist/weights/tensor.js';
import { network } from './fixtures.js';

const folder = mkdtempSync(join(tmpdir(), 'treadle-python-'));
afterAll(() => rmSync(folder, { recursive: true }));

function run(python: string, script: string, ...args: string[]): string {
  return execFileSync(python, ['-c', script, ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** The numpy version of an interpreter, or why there is none. */
function numpyOf(python: string): { version: string } | { missing: string } {
  try {
    return { version: run(python, 'import numpy; print(numpy.__version__)').trim() };
  } catch (error) {
    const noPython = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    return { missing: noPython ? 'it is not installed' : 'it has no numpy' };
  }
}

/** Prints every array of a pickle as JSON: shape, dtype, values, and whether it is a writable array in C order. */
const DESCRIBE = `
import json, pickle, sys, warnings
warnings.simplefilter('error')
with open(sys.argv[1], 'rb') as file:
    arrays = pickle.load(file)
print(json.dumps({name: [list(a.shape), a.dtype.str, a.ravel().tolist(), bool(a.flags.carray)] for name, a in arrays.items()}))
`;

/** Writes a pickle with pickle.dump (C) or the pure Python pickler. */
const WRITE = `
import numpy, pickle, sys
path, protocol, pickler = sys.argv[1:]
arrays = {'W1': numpy.arange(40000, dtype=numpy.float32).reshape(200, 200) / 8,
          'b1': numpy.float32([1.5, -2.25]), 'empty': numpy.zeros((0, 3), numpy.float32),
          'transposed': numpy.ascontiguousarray(numpy.float32([[1, 2], [3, 4]]).T),
          'slice': numpy.arange(10, dtype=numpy.float32)[::3]}
arrays.update((f'many{i}', numpy.float32([i])) for i in range(1100))
dumps = pickle.dumps if pickler == 'C' else pickle._dumps
with open(path, 'wb') as file:
    file.write(dumps(arrays, protocol=int(protocol)))
`;

const float = (shape: number[], values: Iterable<number>): FloatTensor => ({
  dtype: 'F32',
  shape,
  data: Float32Array.from(values),
});

describe.each(['python3', '/usr/bin/python3'])('%s', (python) => {
  const numpy = numpyOf(python);

  test('loads our pickle with numpy alone, without a warning', async (context) => {
    if ('missing' in numpy) return context.skip(`${python}: ${numpy.missing}`);
    // The first weight is beyond the size of a frame.
    const arrays = toNumpy(network([170, 100, 3, 4]));
    const path = join(folder, 'ours.pkl');
    await writeFile(path, encodePickle(arrays));
    const read = JSON.parse(run(python, DESCRIBE, path));
    expect(Object.keys(read)).toEqual([...arrays.keys()]);
    for (const [name, { shape, data }] of arrays) {
      expect(read[name], name).toEqual([shape, '<f4', [...data], true]);
    }
  });

  test.for([
    ['3', 'C'],
    ['4', 'C'],
    ['4', 'Python'],
  ] as const)('writes a pickle of protocol %s in %s that we load', async ([protocol, pickler], context) => {
    if ('missing' in numpy) return context.skip(`${python}: ${numpy.missing}`);
    const path = join(folder, 'theirs.pkl');
    run(python, WRITE, path, protocol, pickler);
    const arrays = decodePickle(await readFile(path), path);
    expect(arrays.size).toBe(1105);
    const eighths = Array.from({ length: 40_000 }, (_, index) => index / 8);
    expect(arrays.get('W1')).toEqual(float([200, 200], eighths));
    expect(arrays.get('b1')).toEqual(float([2], [1.5, -2.25]));
    expect(arrays.get('empty')).toEqual(float([0, 3], []));
    expect(arrays.get('transposed')).toEqual(float([2, 2], [1, 3, 2, 4]));
    expect(arrays.get('slice')).toEqual(float([4], [0, 3, 6, 9]));
    expect(arrays.get('many1099')).toEqual(float([1], [1099]));
  });
});
