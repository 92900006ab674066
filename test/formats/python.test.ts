import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { conversionNotes } from '../../dist/formats/floats.js';
import { toNumpy } from '../../dist/formats/naming.js';
import { decodePickle, encodePickle, floatArrays, pickledArrays } from '../../dist/formats/pickle.js';
import type { FloatTensor } from '../../dist/formats/tensor.js';
import { inspectWeights } from '../../dist/node/model-file.js';
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
          'slice': numpy.arange(10, dtype=numpy.float32)[::3],
          'readonly': numpy.frombuffer(numpy.float32([7]).tobytes(), numpy.float32)}
arrays.update((f'many{i}', numpy.float32([i])) for i in range(1100))
dumps = pickle.dumps if pickler == 'C' else pickle._dumps
with open(path, 'wb') as file:
    file.write(dumps(arrays, protocol=int(protocol)))
`;

/** Writes arrays of floating-point types in either byte order, and one in Fortran order. */
const WRITE_FLOATS = `
import numpy, pickle, sys
path, protocol = sys.argv[1:]
values = numpy.array([[1, 2.5, -3], [0, 5, 6]])
arrays = {order + kind: values.astype(order + kind) for kind in ['f2', 'f4', 'f8'] for order in '<>'}
arrays['transposed'] = numpy.ascontiguousarray(values.astype('f4').T).T
arrays['third'] = numpy.array([1 / 3])
with open(path, 'wb') as file:
    pickle.dump(arrays, file, protocol=int(protocol))
`;

/** Writes arrays of every number type, and what numpy says of each. */
const WRITE_TYPES = `
import json, numpy, pickle, sys
path, protocol = sys.argv[1:]
letters = ['b1', 'i1', 'i2', 'i4', 'i8', 'u1', 'u2', 'u4', 'u8', 'f2', 'f4', 'f8', 'c8', 'c16']
values = numpy.random.default_rng(1).integers(-100, 100, (7, 5)) / 8
arrays = {order + kind: values.astype(order + kind, order='F' if kind == 'f8' else 'C')
          for kind in letters for order in '<>'}
arrays['zeros'] = numpy.zeros((0, 2))
with open(path, 'wb') as file:
    pickle.dump({**arrays, 'note': 'a text', 'last': arrays['<f4'][::2]}, file, protocol=int(protocol))
def told(array):
    shown = array.size > 0 and array.dtype.kind != 'c'
    figures = [float(f) for f in (array.min(), array.max(), array.astype(float).mean())] if shown else [None] * 3
    big = array.dtype.str[0] == '>'
    return [array.dtype.newbyteorder('=').name + (' >' if big else ''), list(array.shape), *figures]
print(json.dumps({name: told(array) for name, array in arrays.items()}))
`;

import { PYTHONS } from '../support/python.js';

const float = (shape: number[], values: Iterable<number>): FloatTensor => ({
  dtype: 'F32',
  shape,
  data: Float32Array.from(values),
});

describe.each(PYTHONS)('%s', (python) => {
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
    ['2', 'C'],
    ['2', 'Python'],
    ['3', 'C'],
    ['4', 'C'],
    ['4', 'Python'],
    ['5', 'C'],
    ['5', 'Python'],
  ] as const)('writes a pickle of protocol %s in %s that we load', async ([protocol, pickler], context) => {
    if ('missing' in numpy) return context.skip(`${python}: ${numpy.missing}`);
    const path = join(folder, 'theirs.pkl');
    run(python, WRITE, path, protocol, pickler);
    const arrays = decodePickle(await readFile(path), path);
    expect(arrays.size).toBe(1106);
    const eighths = Array.from({ length: 40_000 }, (_, index) => index / 8);
    expect(arrays.get('W1')).toEqual(float([200, 200], eighths));
    expect(arrays.get('b1')).toEqual(float([2], [1.5, -2.25]));
    expect(arrays.get('empty')).toEqual(float([0, 3], []));
    expect(arrays.get('transposed')).toEqual(float([2, 2], [1, 3, 2, 4]));
    expect(arrays.get('slice')).toEqual(float([4], [0, 3, 6, 9]));
    expect(arrays.get('readonly')).toEqual(float([1], [7]));
    expect(arrays.get('many1099')).toEqual(float([1], [1099]));
  });

  test.for(['2', '5'])(
    'writes other floats and Fortran order in protocol %s that we load',
    async (protocol, context) => {
      if ('missing' in numpy) return context.skip(`${python}: ${numpy.missing}`);
      const path = join(folder, 'floats.pkl');
      run(python, WRITE_FLOATS, path, protocol);
      const conversions = new Map();
      const arrays = floatArrays(pickledArrays(await readFile(path), path), path, conversions);
      for (const name of ['<f2', '<f4', '<f8', '>f2', '>f4', '>f8', 'transposed'])
        expect(arrays.get(name), name).toEqual(float([2, 3], [1, 2.5, -3, 0, 5, 6]));
      expect(conversionNotes(conversions).sort()).toEqual(
        [
          '"<f2", ">f2" are float16: read as 32-bit floats, each value kept exactly.',
          '">f4" is float32: read as 32-bit floats, each value kept exactly.',
          '"<f8", ">f8", "third" are float64: read as 32-bit floats, 1 of 13 values rounded.',
        ].sort(),
      );
    },
  );

  test.for(['2', '3', '4', '5'])(
    'writes arrays of every number type in protocol %s that we describe',
    async (protocol, context) => {
      if ('missing' in numpy) return context.skip(`${python}: ${numpy.missing}`);
      const path = join(folder, 'types.pkl');
      const told = JSON.parse(run(python, WRITE_TYPES, path, protocol));
      const { tensors, problem } = await inspectWeights(path);
      expect(problem?.message).toContain(
        'array "<b1" is of dtype "|b1"; float32, float16 or float64 is expected',
      );
      expect(tensors.map(({ name }) => name)).toEqual([...Object.keys(told), 'last']);
      for (const { name, dtype, shape, min, max, mean } of tensors.slice(0, -1)) {
        expect([name, dtype, shape, min, max]).toEqual([name, ...told[name].slice(0, 4)]);
        if (mean === null) expect(told[name][4]).toBeNull();
        else expect(mean).toBeCloseTo(told[name][4], 9);
      }
    },
  );
});
