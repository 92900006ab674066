import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { TreadleError } from '../../dist/bindings/host.js';
import { toStateDict } from '../../dist/formats/naming.js';
import { encodePickle } from '../../dist/formats/pickle.js';
import { encodeSafetensors } from '../../dist/formats/safetensors.js';
import {
  describeTensors,
  describeWeights,
  inspectWeights,
  loadWeights,
  saveWeights,
  weightsFileName,
} from '../../dist/node/model-file.js';
import { quote } from '../../dist/strict/text.js';
import { metadataOf, network } from '../formats/fixtures.js';

const WIDTHS = [2, 3, 4, 2];
const TENSORS = network(WIDTHS);
const METADATA = metadataOf(WIDTHS);

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'treadle-weights-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

async function failure(promise: Promise<unknown>): Promise<TreadleError> {
  const error = await promise.then(
    () => expect.fail('nothing was thrown'),
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(TreadleError);
  return error as TreadleError;
}

/** The metadata as it stands in a saved file, changed, beside the tensors. */
async function saveWith(change: (stored: Record<string, string>) => void): Promise<string> {
  const [path] = await saveWeights(folder, TENSORS, METADATA);
  const bytes = await readFile(path!);
  const header = JSON.parse(bytes.subarray(8, 8 + Number(bytes.readBigUInt64LE(0))).toString());
  change(header.__metadata__);
  await writeFile(path!, encodeSafetensors(toStateDict(TENSORS), header.__metadata__));
  return path!;
}

describe('weightsFileName', () => {
  test('joins model and rate as the report names them', () => {
    expect(weightsFileName('large1', 0.005, 'safetensors')).toBe('large1_weights_0.005.safetensors');
    expect(weightsFileName('small', 1e-7, 'pkl')).toBe('small_weights_1e-7.pkl');
    expect(weightsFileName('a-b_c', 1, 'pkl')).toBe('a-b_c_weights_1.pkl');
  });

  test.each(['', '../x', 'a b', 'a\\b', 'a\0b'])('refuses the model name %j', (model) => {
    expect(() => weightsFileName(model, 1, 'pkl')).toThrow(/^model is '.*'; a name of 1 to 64 letters, /);
  });
});

describe('saveWeights and loadWeights', () => {
  test('both files load back, bit for bit', async () => {
    const target = join(folder, 'new', 'weights');
    const paths = await saveWeights(target, TENSORS, METADATA);
    expect(paths).toEqual([
      join(target, 'tiny_weights_0.005.safetensors'),
      join(target, 'tiny_weights_0.005.pkl'),
    ]);
    expect((await readdir(target)).sort()).toEqual([
      'tiny_weights_0.005.pkl',
      'tiny_weights_0.005.safetensors',
    ]);
    const shape = { inputs: 2, hidden: [3, 4], classes: 2 };
    expect(await loadWeights(paths[0]!)).toEqual({
      tensors: TENSORS,
      ...shape,
      metadata: METADATA,
      format: 'safetensors',
    });
    expect(await loadWeights(paths[1]!)).toEqual({
      tensors: { ...TENSORS, batchesTracked: 0 },
      ...shape,
      metadata: null,
      format: 'pickle',
    });
  });

  test('the same model gives the same bytes', async () => {
    const [path] = await saveWeights(folder, TENSORS, METADATA);
    const once = await readFile(path!);
    await saveWeights(folder, TENSORS, METADATA);
    expect(await readFile(path!)).toEqual(once);
  });

  test('the format is told by the content, not the name', async () => {
    const [safetensors, pickle] = await saveWeights(folder, TENSORS, METADATA);
    const swapped = join(folder, 'a.pkl');
    await writeFile(swapped, await readFile(safetensors!));
    expect((await loadWeights(swapped)).format).toBe('safetensors');
    await writeFile(swapped, await readFile(pickle!));
    expect((await loadWeights(swapped)).format).toBe('pickle');
  });

  test('a safetensors header whose length begins with a pickle’s 0x80 is still safetensors', async () => {
    const path = join(folder, 'x.safetensors');
    const state = toStateDict(TENSORS);
    const header = (padding: number) => encodeSafetensors(state, { padding: ' '.repeat(padding) });
    let bytes = header(0);
    for (let padding = 1; bytes[0] !== 0x80; padding++) bytes = header(padding);
    await writeFile(path, bytes);
    expect((await loadWeights(path)).format).toBe('safetensors');
  });

  test.each([
    ['no metadata', {}],
    ['PyTorch’s own metadata', { format: 'pt' }],
  ])('a foreign file with %s loads with metadata null', async (_, stored) => {
    const path = join(folder, 'foreign.safetensors');
    await writeFile(path, encodeSafetensors(toStateDict(TENSORS), stored));
    const weights = await loadWeights(path);
    expect(weights.metadata).toBeNull();
    expect(weights.tensors).toEqual(TENSORS);
  });

  test.each([
    ['an empty file', '', 'the file is empty'],
    [
      'a zip archive',
      'PK\x03\x04....',
      'it is a zip, as npz and models of Keras are; the model that an import (treadle import, importModel) makes of it',
    ],
    [
      'HDF5',
      '\x89HDF\r\n\x1a\n....',
      'it is HDF5, as Keras writes; the model that an import (treadle import, importModel) makes of it',
    ],
    [
      'ONNX',
      '\x08\x0a\x12\x07treadle',
      'it is ONNX; the model that an import (treadle import, importModel) makes of it',
    ],
    ['a short text', '{}', 'begins with the bytes 7b 7d'],
  ])('refuses %s', async (_, content, message) => {
    const path = join(folder, 'w.safetensors');
    await writeFile(path, content, 'latin1');
    const error = await failure(loadWeights(path));
    expect([error.code, error.subject]).toEqual(['format', path]);
    expect(error.message).toContain(message);
  });

  test('names the file that is missing, and the folder that cannot be', async () => {
    const missing = join(folder, 'none.pkl');
    expect(await failure(loadWeights(missing))).toMatchObject({ code: 'not-found', subject: missing });
    await writeFile(join(folder, 'file'), '');
    const error = await failure(saveWeights(join(folder, 'file'), TENSORS, METADATA));
    expect(error).toMatchObject({ code: 'unwritable', subject: join(folder, 'file') });
  });

  test('writes nothing for weights or metadata that could not be read back', async () => {
    const diverged = structuredClone(TENSORS);
    diverged.dense[2]!.bias[1] = Number.NaN;
    expect((await failure(saveWeights(folder, diverged, METADATA))).code).toBe('range');
    const noLoss = { ...METADATA, valLoss: Number.NaN };
    const error = await failure(saveWeights(folder, TENSORS, noLoss));
    expect(error.message).toBe(
      `The metadata to save: treadle's metadata has "valLoss" as "NaN"; a number from 0 is expected.`,
    );
    const other = { ...METADATA, hidden: [3, 5] };
    expect((await failure(saveWeights(folder, TENSORS, other))).code).toBe('shape');
    expect(await readdir(folder)).toEqual([]);
  });
});

describe('metadata', () => {
  test('stands in the file as strings that any reader understands', async () => {
    let stored: Record<string, string> = {};
    await saveWith((found) => {
      stored = { ...found };
    });
    expect(Object.keys(stored)).toEqual(Object.keys(METADATA));
    expect(stored).toMatchObject({
      treadle: '1',
      hidden: '[3,4]',
      learningRate: '0.005',
      valLoss: '1e-7',
      seed: '42',
    });
    expect(JSON.parse(stored.classNames!)).toEqual(['class "0" é', 'class "1" é']);
  });

  test.each([
    ['treadle', '2', 'version 1'],
    ['epochs', '0', 'a whole number from 1 to 9007199254740991'],
    ['epochs', '', 'a whole number from 1 to 9007199254740991'],
    ['keptEpoch', '1.5', 'a whole number from 1 to 9007199254740991'],
    ['batchSize', '0x10', 'a whole number from 1 to 9007199254740991'],
    ['seed', '-1', 'a whole number from 0 to 9007199254740991'],
    ['classes', '1', 'a whole number from 2 to 1048576'],
    ['dropout', '1', 'a number from 0 to below 1'],
    ['learningRate', '0', 'a number above 0'],
    ['learningRate', '1e999', 'a number above 0'],
    ['valAccuracy', '1.01', 'a number from 0 to 1'],
    ['valMacroF1', 'NaN', 'a number from 0 to 1'],
    ['mode', 'other', 'chained or independent'],
    ['hidden', '3,4', 'a JSON list of widths'],
    ['hidden', '["3"]', 'a JSON list of widths'],
    ['hidden', '[[3]]', 'a JSON list of widths'],
    ['hidden', `[${'3,'.repeat(5000)}3]`, 'a JSON list of widths'],
    ['classNames', '{}', 'a JSON list of names'],
    ['classNames', '[1,2]', 'a JSON list of names'],
  ])('refuses %s = %j', async (key, value, expected) => {
    const path = await saveWith((stored) => {
      stored[key] = value;
    });
    const error = await failure(loadWeights(path));
    expect(error.code).toBe('format');
    expect(error.message).toBe(
      `${path}: treadle's metadata has "${key}" as ${quote(value)}; ${expected} is expected.`,
    );
  });

  test.each(Object.keys(METADATA).slice(1))('names the missing %s', async (key) => {
    const path = await saveWith((stored) => {
      delete stored[key];
    });
    const error = await failure(loadWeights(path));
    expect(error.message).toBe(`${path}: treadle's metadata has no "${key}"; that entry is expected.`);
  });

  test('must agree with the tensors, and with itself', async () => {
    const wrong = await failure(
      loadWeights(
        await saveWith((stored) => {
          stored.hidden = '[3,5]';
        }),
      ),
    );
    expect(wrong.code).toBe('shape');
    expect(wrong.message).toContain(
      'its tensors are 2 -> 3 -> 4 -> 2 wide; its metadata expects 2 -> 3 -> 5 -> 2.',
    );
    const names = await failure(
      loadWeights(
        await saveWith((stored) => {
          stored.classNames = '["one"]';
        }),
      ),
    );
    expect(names.message).toContain("treadle's metadata names 1 classes; one name for each of 2 is expected");
  });
});

describe('describeTensors', () => {
  test('gives every tensor in the file’s own layout', async () => {
    const [safetensors, pickle] = await saveWeights(folder, TENSORS, METADATA);
    // The first six values of the fixture are 1/8 - 3 to 6/8 - 3.
    const weight = { min: -2.875, max: -2.25, mean: -2.5625, bytes: 24, deviation: 0.21347814095749162 };
    const described = await describeTensors(safetensors!);
    expect(described[0]).toMatchObject({ name: '0.weight', dtype: 'F32', shape: [3, 2], ...weight });
    expect(described[6]).toMatchObject({
      name: '1.num_batches_tracked',
      dtype: 'I64',
      shape: [],
      min: 7,
      max: 7,
      mean: 7,
    });
    expect(described).toHaveLength(16);
    const arrays = await describeTensors(pickle!);
    expect(arrays[0]).toMatchObject({ name: 'W1', dtype: 'float32', shape: [2, 3], ...weight });
    expect(arrays).toHaveLength(14);
  });

  test('needs no network, and tells emptiness and NaN', async () => {
    const path = join(folder, 'any.pkl');
    const data = Float32Array.of(1, Number.NaN);
    const arrays = new Map([
      ['empty', { dtype: 'F32' as const, shape: [0], data: new Float32Array(0) }],
      ['nan', { dtype: 'F32' as const, shape: [2], data }],
    ]);
    await writeFile(path, encodePickle(arrays));
    expect(await describeTensors(path)).toMatchObject([
      { name: 'empty', dtype: 'float32', shape: [0], min: null, max: null, mean: null },
      { name: 'nan', dtype: 'float32', shape: [2], min: Number.NaN, max: Number.NaN, mean: Number.NaN },
    ]);
  });
});

/** A safetensors file of `[dtype, shape, bytes]` by name. */
function safetensorsOf(
  tensors: Record<string, [dtype: string, shape: number[], bytes: number[]]>,
  metadata?: Record<string, string>,
): Buffer {
  let at = 0;
  const entries = Object.entries(tensors).map(([name, [dtype, shape, bytes]]) => {
    at += bytes.length;
    return [name, { dtype, shape, data_offsets: [at - bytes.length, at] }];
  });
  const header = JSON.stringify({
    ...(metadata && { __metadata__: metadata }),
    ...Object.fromEntries(entries),
  });
  const length = Buffer.alloc(8);
  length.writeUInt32LE(header.length);
  const data = Object.values(tensors).flatMap(([, , bytes]) => bytes);
  return Buffer.concat([length, Buffer.from(header), Buffer.from(data)]);
}

describe('describeWeights', () => {
  test.each<[string, number[], [number, number, number] | null]>([
    ['BOOL', [0, 1], [0, 1, 0.5]],
    ['U8', [0, 255], [0, 255, 127.5]],
    ['I8', [0x80, 0x7f], [-128, 127, -0.5]],
    ['U16', [1, 0, 0xff, 0xff], [1, 65_535, 32_768]],
    ['I16', [0, 0x80, 0xff, 0x7f], [-32_768, 32_767, -0.5]],
    ['U32', [0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff], [0, 2 ** 32 - 1, (2 ** 32 - 1) / 2]],
    ['I32', [0, 0, 0, 0x80, 0, 0, 0, 0], [-(2 ** 31), 0, -(2 ** 30)]],
    ['U64', [0, 0, 0, 0, 0, 0, 0, 0x80, ...Array(8).fill(0)], [0, 2 ** 63, 2 ** 62]],
    ['I64', [...Array(8).fill(0xff), 3, 0, 0, 0, 0, 0, 0, 0], [-1, 3, 1]],
    ['F32', [0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0], [-2, 1, -0.5]],
    ['F64', [0, 0, 0, 0, 0, 0, 0xf0, 0x3f, 0, 0, 0, 0, 0, 0, 0, 0xc0], [-2, 1, -0.5]],
    // The least and the greatest of each small type, and its infinity and NaN, by its definition.
    ['F16', [0xff, 0xfb, 0xff, 0x7b], [-65_504, 65_504, 0]],
    ['F16', [0x01, 0x00, 0x00, 0x04], [2 ** -24, 2 ** -14, (2 ** -24 + 2 ** -14) / 2]],
    ['F16', [0x00, 0x3c, 0x00, 0xfc], [-Infinity, 1, -Infinity]],
    ['F16', [0x00, 0x3c, 0x00, 0x7e], [Number.NaN, Number.NaN, Number.NaN]],
    ['BF16', [0x7f, 0x7f, 0x80, 0xbf], [-1, 255 * 2 ** 120, (255 * 2 ** 120 - 1) / 2]],
    ['BF16', [0x01, 0x00, 0x80, 0x7f], [2 ** -133, Infinity, Infinity]],
    ['F8_E5M2', [0x7b, 0x01], [2 ** -16, 57_344, (57_344 + 2 ** -16) / 2]],
    ['F8_E5M2', [0x7c, 0xbc], [-1, Infinity, Infinity]],
    ['F8_E4M3', [0x7e, 0x81], [-(2 ** -9), 448, (448 - 2 ** -9) / 2]],
    ['F8_E4M3', [0x38, 0x7f], [Number.NaN, Number.NaN, Number.NaN]],
    ['F8_E8M0', [1, 2], null],
    ['F8_E4M3FNUZ', [1, 2], null],
    ['F8_E5M2FNUZ', [1, 2], null],
    ['C64', Array(16).fill(0), null],
  ])('reads %s %j', (dtype, bytes, range) => {
    const [min, max, mean] = range ?? [null, null, null];
    const { tensors, problem } = describeWeights(safetensorsOf({ t: [dtype, [2, 1], bytes] }), 'w');
    expect(tensors).toMatchObject([{ name: 't', dtype, shape: [2, 1], bytes: bytes.length, min, max, mean }]);
    expect(problem).toBeInstanceOf(TreadleError);
  });

  test.each([
    ['F4', [1, 4], [0x21, 0x43]],
    ['F6_E2M3', [4], [1, 2, 3]],
    ['F6_E3M2', [4], [1, 2, 3]],
  ])('names the packed %s', (dtype, shape, bytes) => {
    const [tensor] = describeWeights(safetensorsOf({ t: [dtype, shape, bytes] }), 'w').tensors;
    expect(tensor).toMatchObject({ name: 't', dtype, shape, bytes: bytes.length, min: null, mean: null });
  });

  test('shows a file without tensors, with its metadata', () => {
    const { format, tensors, stored, network, problem } = describeWeights(
      safetensorsOf({}, { format: 'pt' }),
      'w',
    );
    expect({ format, tensors, stored, network }).toEqual({
      format: 'safetensors',
      tensors: [],
      stored: { format: 'pt' },
      network: null,
    });
    expect(problem!.message).toContain('w is not a complete dense network: "0.weight" is missing');
    expect(describeWeights(safetensorsOf({}), 'w').stored).toBeNull();
  });

  test('says why a file of other names is no network, and what metadata it cannot use', async () => {
    const prefixed = new Map(
      [...toStateDict(TENSORS)].map(([name, tensor]) => [`other.${name}`, tensor] as const),
    );
    const { tensors, problem } = describeWeights(encodeSafetensors(prefixed, { treadle: '9' }), 'w');
    expect(tensors).toHaveLength(16);
    expect(tensors[0]).toMatchObject({ name: 'other.0.weight', dtype: 'F32', shape: [3, 2], min: -2.875 });
    expect(problem!.message).toContain('"other.0.weight" is not expected');
    const other = describeWeights(encodeSafetensors(toStateDict(TENSORS), { treadle: '9' }), 'w');
    expect(other.stored).toEqual({ treadle: '9' });
    expect(other.problem!.message).toContain('metadata has "treadle" as "9"; version 1 is expected');
  });

  test('gives the network of a file that is one, as loadWeights does', async () => {
    for (const path of await saveWeights(folder, TENSORS, METADATA)) {
      const { network, problem, stored } = await inspectWeights(path);
      expect(problem).toBeNull();
      expect(network).toEqual(await loadWeights(path));
      expect(stored === null).toBe(network!.metadata === null);
    }
  });

  test('refuses a damaged file as the reader does', () => {
    const bytes = safetensorsOf({ t: ['F16', [2], [0, 0]] });
    expect(() => describeWeights(bytes, 'w')).toThrow('w: tensor "t" is F16 of shape [2] in 2 bytes');
    expect(() => describeWeights(new Uint8Array(0), 'w')).toThrow('w: the file is empty');
  });
});
