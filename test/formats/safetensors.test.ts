import { describe, expect, test } from 'vitest';
import { TreadleError } from '../../dist/bindings/host.js';
import { decodeSafetensors, encodeSafetensors, tensorOf } from '../../dist/formats/safetensors.js';
import type { Tensor } from '../../dist/formats/tensor.js';

/** A file put together by hand: the header's text (or bytes) and then `data` zero bytes. */
function file(header: string | Uint8Array, data = 0, statedLength?: bigint): Uint8Array {
  const text = typeof header === 'string' ? Buffer.from(header) : header;
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(statedLength ?? BigInt(text.length));
  return Buffer.concat([length, text, Buffer.alloc(data)]);
}

const entry = (dtype: string, shape: unknown, begin: number, end: number) => ({
  dtype,
  shape,
  data_offsets: [begin, end],
});
const fileOf = (header: object, data: number) => file(JSON.stringify(header), data);

function refusal(bytes: Uint8Array): string {
  try {
    decodeSafetensors(bytes, 'w.safetensors');
  } catch (error) {
    expect(error).toBeInstanceOf(TreadleError);
    const { code, message, subject } = error as TreadleError;
    expect([code, subject]).toEqual(['format', 'w.safetensors']);
    expect(message).toMatch(/^w\.safetensors: /);
    expect(message.length).toBeLessThan(600);
    return message;
  }
  return expect.fail('the file was accepted');
}

const FLOATS: Tensor = { dtype: 'F32', shape: [2, 1], data: Float32Array.of(1, -2.5) };
const COUNT: Tensor = { dtype: 'I64', shape: [], data: BigInt64Array.of(-3n) };

describe('encodeSafetensors', () => {
  test('lays a file out as the format says, byte by byte', () => {
    const bytes = encodeSafetensors(
      new Map<string, Tensor>([
        ['9', FLOATS],
        ['n', COUNT],
      ]),
      { b: 'é', a: '1' },
    );
    const header =
      '{"__metadata__":{"b":"é","a":"1"},"9":{"dtype":"F32","shape":[2,1],"data_offsets":[8,16]},' +
      '"n":{"dtype":"I64","shape":[],"data_offsets":[0,8]}}';
    const padding = ' '.repeat(7 - ((Buffer.byteLength(header) + 7) % 8));
    const data = Buffer.from('fdffffffffffffff' + '0000803f' + '000020c0', 'hex');
    expect(Buffer.from(bytes)).toEqual(Buffer.concat([file(header + padding), data]));
    expect(bytes.length % 8).toBe(0);
  });

  test('equal input gives equal bytes, and every tensor is aligned to its element', () => {
    const tensors = new Map<string, Tensor>([
      ['f', { dtype: 'F32', shape: [3], data: new Float32Array(3) }],
      ['n', COUNT],
    ]);
    const once = encodeSafetensors(tensors, {});
    expect(encodeSafetensors(new Map(tensors), {})).toEqual(once);
    const decoded = decodeSafetensors(once, 'x');
    expect(decoded.tensors.get('n')!.bytes.byteOffset % 8).toBe(0);
    expect([...decoded.tensors.keys()]).toEqual(['f', 'n']);
  });

  test('refuses data that its shape does not hold', () => {
    const tensors = new Map<string, Tensor>([['f', { dtype: 'F32', shape: [4], data: new Float32Array(3) }]]);
    expect(() => encodeSafetensors(tensors, {})).toThrow('Tensor "f" has 3 values; shape [4] is expected');
  });
});

describe('decodeSafetensors', () => {
  test('reads back what was written, from any offset in memory', () => {
    const bytes = encodeSafetensors(
      new Map<string, Tensor>([
        ['a"\\', FLOATS],
        ['n', COUNT],
      ]),
      { key: 'value', other: '"[[[[,\\":' },
    );
    const shifted = new Uint8Array(bytes.length + 3);
    shifted.set(bytes, 3);
    const { tensors, metadata } = decodeSafetensors(shifted.subarray(3), 'x');
    expect(metadata).toEqual({ key: 'value', other: '"[[[[,\\":' });
    const floats = tensorOf(tensors.get('a"\\')!, 'a', 'x');
    expect(floats).toEqual(FLOATS);
    expect(tensorOf(tensors.get('n')!, 'n', 'x')).toEqual(COUNT);
    floats.data[0] = 99;
    expect(shifted.subarray(3)).toEqual(bytes);
  });

  test('accepts what the format allows: no metadata, empty tensors, offsets in another order, trailing spaces', () => {
    const header = {
      b: entry('F32', [1], 8, 12),
      a: entry('F64', [1, 1], 0, 8),
      c: entry('U8', [0, 5], 12, 12),
    };
    const decoded = decodeSafetensors(file(`${JSON.stringify(header)}   `, 12), 'x');
    expect(decoded.metadata).toBeNull();
    expect([...decoded.tensors].map(([name, { bytes }]) => [name, bytes.length])).toEqual([
      ['b', 4],
      ['a', 8],
      ['c', 0],
    ]);
    expect(decodeSafetensors(file('{}'), 'x').tensors.size).toBe(0);
  });

  test.each([
    ['BOOL', 3, 3],
    ['F4', 4, 2],
    ['F6_E2M3', 4, 3],
    ['BF16', 3, 6],
    ['I32', 3, 12],
    ['C64', 1, 8],
  ])('knows %s by its size, and says so when its values are asked for', (dtype, count, bytes) => {
    const { tensors } = decodeSafetensors(fileOf({ t: entry(dtype, [count], 0, bytes) }, bytes), 'x');
    expect(tensors.get('t')!.bytes).toHaveLength(bytes);
    expect(() => tensorOf(tensors.get('t')!, 't', 'w.safetensors')).toThrow(
      `w.safetensors: tensor "t" is ${dtype}; F32 (or I64 for a counter) is expected.`,
    );
  });

  const big = Number.MAX_SAFE_INTEGER;
  const good = JSON.stringify({ t: entry('F32', [1], 0, 4) });
  const attacks: [string, Uint8Array, string][] = [
    ['an empty file', new Uint8Array(0), 'the file has 0 bytes'],
    ['a file of 7 bytes', new Uint8Array(7), 'the file has 7 bytes'],
    ['a header longer than the file', file('{}', 0, 3n), 'given as 3 bytes; at most 2 is expected'],
    ['a header of 2^64 - 1 bytes', file('{}', 0, 2n ** 64n - 1n), 'given as 18446744073709551615 bytes'],
    ['no header', file('', 4), 'does not begin with "{"'],
    ['a header that is a list', file('[]'), 'does not begin with "{"'],
    ['a header after a space', file(' {}'), 'does not begin with "{"'],
    ['a byte-order mark', file('\ufeff{}'), 'does not begin with "{"'],
    ['bytes that are no UTF-8', file(Buffer.from('7b2261ff223a307d', 'hex')), 'not valid UTF-8'],
    ['broken JSON', file('{"a":'), 'not valid JSON'],
    ['an unclosed string', file('{"a\\'), 'not valid JSON'],
    ['two JSON values', file('{}{}'), 'not valid JSON'],
    ['deep nesting', file(`{"a":${'['.repeat(500)}`), 'nested deeper than 3 levels'],
    ['endless values', file(`{"a":[${'0,'.repeat(1_000_000)}0]}`), 'lists more than 1000000 values'],
    ['a tensor twice', file(`{"t":${good.slice(5, -1)},"t":${good.slice(5)}`, 4), 'has the key "t" twice'],
    ['a tensor twice, once escaped', file(`{"t":1,"\\u0074":2}`), 'has the key "t" twice'],
    ['a field twice', file(`{"t":{"dtype":"F32","shape":[], "dtype" :"U8"}}`), 'has the key "dtype" twice'],
    ['metadata twice', file('{"__metadata__":{},"__metadata__":{}}'), 'has the key "__metadata__" twice'],
    ['a metadata key twice', file('{"__metadata__":{"a":"1","a":"2"}}'), 'has the key "a" twice'],
    ['metadata that is a string', file('{"__metadata__":"x"}'), '__metadata__ is not an object'],
    ['metadata that is null', file('{"__metadata__":null}'), '__metadata__ is not an object'],
    ['metadata that is a list', file('{"__metadata__":[]}'), '__metadata__ is not an object'],
    ['a number in metadata', file('{"__metadata__":{"a":"1","b":2}}'), 'entry "b" is of type number'],
    ['null under constructor', file('{"__metadata__":{"constructor":null}}'), 'entry "constructor" is null'],
    ['a tensor that is null', fileOf({ t: null }, 0), 'tensor "t" is null'],
    ['a tensor without dtype', fileOf({ t: { shape: [], data_offsets: [0, 4] } }, 4), 'has no dtype'],
    ['a tensor without shape', fileOf({ t: { dtype: 'F32', data_offsets: [0, 4] } }, 4), 'has no shape'],
    ['a tensor without offsets', fileOf({ t: { dtype: 'F32', shape: [] } }, 4), 'has no data_offsets'],
    ['an unknown field', fileOf({ t: { ...entry('F32', [], 0, 4), x: 1 } }, 4), 'has "x" 1'],
    ['an unknown dtype', fileOf({ t: entry('F33', [], 0, 4) }, 4), '"dtype" "F33"; one of BOOL'],
    ['a dtype off the prototype', fileOf({ t: entry('toString', [], 0, 4) }, 4), '"dtype" "toString"'],
    ['a negative size', fileOf({ t: entry('F32', [-1], 0, 4) }, 4), '"shape" [-1]'],
    ['a fractional size', fileOf({ t: entry('F32', [0.5], 0, 2) }, 2), '"shape" [0.5]'],
    [
      'a size beyond 2^53',
      file('{"t":{"dtype":"F32","shape":[1e300],"data_offsets":[0,4]}}', 4),
      '"shape" [1e+300]',
    ],
    ['a size that is a string', fileOf({ t: entry('F32', ['1'], 0, 4) }, 4), '"shape" ["1"]'],
    ['too many dimensions', fileOf({ t: entry('F32', Array(65).fill(1), 0, 4) }, 4), '"shape" [1,1'],
    ['a product that overflows', fileOf({ t: entry('F32', [big, big], 0, 4) }, 4), 'whose size overflows'],
    ['a bit count that overflows', fileOf({ t: entry('F32', [2 ** 50], 0, 4) }, 4), 'whose size overflows'],
    ['three offsets', fileOf({ t: { dtype: 'F32', shape: [], data_offsets: [0, 4, 8] } }, 4), '[0,4,8]'],
    ['a negative offset', fileOf({ t: entry('F32', [1], -4, 0) }, 4), '"data_offsets" [-4,0]'],
    ['offsets in reverse', fileOf({ t: entry('F32', [1], 4, 0) }, 4), 'begins at byte 4 and ends at 0'],
    [
      'a length unlike the shape',
      fileOf({ t: entry('F32', [2], 0, 4) }, 4),
      'of shape [2] in 4 bytes; a length of 8',
    ],
    ['half a byte', fileOf({ t: entry('F4', [3], 0, 2) }, 2), 'F4 of shape [3] in 2 bytes'],
    ['a hole at the start', fileOf({ t: entry('F32', [1], 4, 8) }, 8), 'leaves a hole: it begins at byte 4'],
    [
      'a hole between',
      fileOf({ a: entry('F32', [1], 0, 4), b: entry('F32', [1], 8, 12) }, 12),
      'tensor "b" leaves a hole: it begins at byte 8 of the data; byte 4',
    ],
    [
      'an overlap',
      fileOf({ a: entry('F32', [2], 0, 8), b: entry('F32', [1], 4, 8) }, 8),
      'tensor "b" overlaps: it begins at byte 4 of the data; byte 8',
    ],
    [
      'two tensors over the same bytes',
      fileOf({ a: entry('F32', [1], 0, 4), b: entry('F32', [1], 0, 4) }, 4),
      'tensor "b" overlaps',
    ],
    [
      'data that is cut off',
      fileOf({ t: entry('F32', [2], 0, 8) }, 7),
      '7 bytes of data follow the header; 8 bytes',
    ],
    [
      'data left over',
      fileOf({ t: entry('F32', [1], 0, 4) }, 5),
      '5 bytes of data follow the header; 4 bytes',
    ],
    ['a hostile name', fileOf({ ['\u001b[2J'.repeat(999)]: 1 }, 0), 'tensor "\\u001b[2J'],
  ];
  test.each(attacks)('refuses %s', (_, bytes, message) => {
    expect(refusal(bytes)).toContain(message);
  });

  test('refuses a header beyond 100 MB although the file holds it', () => {
    const bytes = new Uint8Array(8 + 100_000_001);
    new DataView(bytes.buffer).setBigUint64(0, 100_000_001n, true);
    expect(refusal(bytes)).toContain('given as 100000001 bytes; at most 100000000 is expected');
  });

  test('keys that objects inherit are names like any other', () => {
    const header = `{"__proto__":${good.slice(5, -1)},"constructor":{"dtype":"F32","shape":[0],"data_offsets":[4,4]}}`;
    const { tensors } = decodeSafetensors(file(header, 4), 'x');
    expect([...tensors.keys()]).toEqual(['__proto__', 'constructor']);
  });
});
