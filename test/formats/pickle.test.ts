import { describe, expect, test } from 'vitest';
import { TreadleError } from '../../dist/bindings/host.js';
import { decodePickle, encodePickle } from '../../dist/formats/pickle.js';
import type { FloatTensor } from '../../dist/formats/tensor.js';

/**
 * Written by CPython 3.11: {'W1': [[1, -2, 3], [4, 5.5, 6]], 'é': [0.25], 'e': zeros((0, 2)), 'same': the array of
 * 'é'} with float32 arrays; numpy 1.24.2 and 2.4.6, protocols 3 to 5.
 */
const WRITTEN_BY_PYTHON: [string, string][] = [
  [
    'numpy 1, protocol 3',
    'gAN9cQAoWAIAAABXMXEBY251bXB5LmNvcmUubXVsdGlhcnJheQpfcmVjb25zdHJ1Y3QKcQJjbnVtcHkKbmRhcnJheQpxA0sAhXEEQwFicQWHcQZScQcoSwFLAksDhnEIY251bXB5CmR0eXBlCnEJWAIAAABmNHEKiYiHcQtScQwoSwNYAQAAADxxDU5OTkr/////Sv////9LAHRxDmKJQxgAAIA/AAAAwAAAQEAAAIBAAACwQAAAwEBxD3RxEGJYAgAAAMOpcRFoAmgDSwCFcRJoBYdxE1JxFChLAUsBhXEVaAyJQwQAAIA+cRZ0cRdiWAEAAABlcRhoAmgDSwCFcRloBYdxGlJxGyhLAUsASwKGcRxoDIlDAHEddHEeYlgEAAAAc2FtZXEfaBR1Lg==',
  ],
  [
    'numpy 1, protocol 4',
    'gASV/wAAAAAAAAB9lCiMAlcxlIwVbnVtcHkuY29yZS5tdWx0aWFycmF5lIwMX3JlY29uc3RydWN0lJOUjAVudW1weZSMB25kYXJyYXmUk5RLAIWUQwFilIeUUpQoSwFLAksDhpRoBYwFZHR5cGWUk5SMAmY0lImIh5RSlChLA4wBPJROTk5K/////0r/////SwB0lGKJQxgAAIA/AAAAwAAAQEAAAIBAAACwQAAAwECUdJRijALDqZRoBGgHSwCFlGgJh5RSlChLAUsBhZRoEYlDBAAAgD6UdJRijAFllGgEaAdLAIWUaAmHlFKUKEsBSwBLAoaUaBGJQwCUdJRijARzYW1llGgZdS4=',
  ],
  [
    'numpy 2, protocol 3',
    'gAN9cQAoWAIAAABXMXEBY251bXB5Ll9jb3JlLm11bHRpYXJyYXkKX3JlY29uc3RydWN0CnECY251bXB5Cm5kYXJyYXkKcQNLAIVxBEMBYnEFh3EGUnEHKEsBSwJLA4ZxCGNudW1weQpkdHlwZQpxCVgCAAAAZjRxComIh3ELUnEMKEsDWAEAAAA8cQ1OTk5K/////0r/////SwB0cQ5iiUMYAACAPwAAAMAAAEBAAACAQAAAsEAAAMBAcQ90cRBiWAIAAADDqXERaAJoA0sAhXESaAWHcRNScRQoSwFLAYVxFWgMiUMEAACAPnEWdHEXYlgBAAAAZXEYaAJoA0sAhXEZaAWHcRpScRsoSwFLAEsChnEcaAyJQwBxHXRxHmJYBAAAAHNhbWVxH2gUdS4=',
  ],
  [
    'numpy 2, protocol 4',
    'gASVAAEAAAAAAAB9lCiMAlcxlIwWbnVtcHkuX2NvcmUubXVsdGlhcnJheZSMDF9yZWNvbnN0cnVjdJSTlIwFbnVtcHmUjAduZGFycmF5lJOUSwCFlEMBYpSHlFKUKEsBSwJLA4aUaAWMBWR0eXBllJOUjAJmNJSJiIeUUpQoSwOMATyUTk5OSv////9K/////0sAdJRiiUMYAACAPwAAAMAAAEBAAACAQAAAsEAAAMBAlHSUYowCw6mUaARoB0sAhZRoCYeUUpQoSwFLAYWUaBGJQwQAAIA+lHSUYowBZZRoBGgHSwCFlGgJh5RSlChLAUsASwKGlGgRiUMAlHSUYowEc2FtZZRoGXUu',
  ],
  [
    'numpy 2, protocol 5',
    'gAWV4QAAAAAAAAB9lCiMAlcxlIwTbnVtcHkuX2NvcmUubnVtZXJpY5SMC19mcm9tYnVmZmVylJOUKJYYAAAAAAAAAAAAgD8AAADAAABAQAAAgEAAALBAAADAQJSMBW51bXB5lIwFZHR5cGWUk5SMAmY0lImIh5RSlChLA4wBPJROTk5K/////0r/////SwB0lGJLAksDhpSMAUOUdJRSlIwCw6mUaAQolgQAAAAAAAAAAACAPpRoC0sBhZRoD3SUUpSMAWWUaAQolgAAAAAAAAAAlGgLSwBLAoaUaA90lFKUjARzYW1llGgWdS4=',
  ],
];

const float = (shape: number[], ...values: number[]): FloatTensor => ({
  dtype: 'F32',
  shape,
  data: Float32Array.from(values),
});

/** Pickle assembly: strings are Latin-1 opcodes, numbers are bytes. */
const bytes = (...parts: (string | number | Uint8Array)[]) =>
  Buffer.concat(
    parts.map((part) => (typeof part === 'number' ? Buffer.of(part) : Buffer.from(part as string, 'latin1'))),
  );
const str = (text: string) => bytes(0x8c, text.length, text);
const global = (module: string, name: string) => bytes(str(module), str(name), 0x93);
const int = (value: number) => {
  const encoded = Buffer.alloc(5, 'J');
  encoded.writeInt32LE(value, 1);
  return encoded;
};
const array = bytes(
  global('numpy.core.multiarray', '_reconstruct'),
  global('numpy', 'ndarray'),
  'K\0\x85C\x01b\x87R',
);
const dtype = (letters: string, order: string) =>
  bytes(
    global('numpy', 'dtype'),
    str(letters),
    '\x89\x88\x87R(K\x03',
    str(order),
    'NNN',
    int(-1),
    int(-1),
    'K\0tb',
  );
/** The state of an array and the BUILD that sets it. */
const state = (shape: number[], data: string | Uint8Array, type = dtype('f4', '<'), fortran = '\x89') =>
  bytes('(K\x01(', ...shape.map(int), 't', type, fortran, 'C', data.length, data, 'tb');
/** The call of protocol 5 for an array over the given bytes, or over what an opcode pushes. */
const fromBuffer = (shape: number[], data: string | Uint8Array, order = 'C') => {
  const content = typeof data === 'string' ? bytes(0x96, data.length, '\0\0\0\0\0\0\0', data) : data;
  const sizes = bytes('(', ...shape.map(int), 't');
  return bytes(
    global('numpy._core.numeric', '_frombuffer'),
    '(',
    content,
    dtype('f4', '<'),
    sizes,
    str(order),
    'tR',
  );
};
const pickle = (...body: (string | number | Uint8Array)[]) => bytes('\x80\x04', ...body, '.');
/** A pickle of `{'a': <value>}`. */
const dictOf = (...value: (string | number | Uint8Array)[]) => pickle('}', str('a'), ...value, 's');

function refusal(file: Uint8Array): string {
  try {
    decodePickle(file, 'w.pkl');
  } catch (error) {
    expect(error).toBeInstanceOf(TreadleError);
    const { code, message, subject } = error as TreadleError;
    expect([code, subject]).toEqual(['format', 'w.pkl']);
    expect(message).toMatch(/^w\.pkl: /);
    return message;
  }
  return expect.fail('the pickle was accepted');
}

describe('decodePickle', () => {
  test.each(WRITTEN_BY_PYTHON)('reads what Python wrote: %s', (_, base64) => {
    const arrays = decodePickle(Buffer.from(base64, 'base64'), 'x');
    expect(arrays).toEqual(
      new Map([
        ['W1', float([2, 3], 1, -2, 3, 4, 5.5, 6)],
        ['é', float([1], 0.25)],
        ['e', float([0, 2])],
        ['same', float([1], 0.25)],
      ]),
    );
  });

  test('reads an array over bytes, as protocol 5 has them', () => {
    const file = bytes('\x80\x05}', str('a'), fromBuffer([2, 1], '\0\0\x80\x3f\0\0\0\x40'), 's.');
    expect(decodePickle(file, 'x')).toEqual(new Map([['a', float([2, 1], 1, 2)]]));
  });

  test('reads an array put together by hand, of any rank', () => {
    const file = dictOf(array, state([], '\0\0\x80\x3f'));
    expect(decodePickle(file, 'x')).toEqual(new Map([['a', float([], 1)]]));
  });

  test.each([
    ['posix', 'system'],
    ['builtins', 'eval'],
    ['numpy.core.multiarray', 'scalar'],
    ['numpy', 'load'],
    ['numpy.core.numeric', 'frombuffer'],
  ])('refuses %s.%s by name', (module, name) => {
    const expected = `w.pkl: the pickle asks for ${module}.${name}; numpy array reconstruction, and nothing else, is`;
    expect(refusal(pickle(global(module, name), str('id'), '\x85R'))).toContain(expected);
    expect(refusal(bytes('\x80\x03c', module, '\n', name, '\n', '.'))).toContain(expected);
  });

  const attacks: [string, Uint8Array, string][] = [
    ['an empty file', bytes(), 'does not begin as a pickle'],
    ['a text pickle of protocol 0', bytes("cposix\nsystem\n(S'id'\ntR."), 'does not begin as a pickle'],
    ['protocol 1', bytes('\x80\x01}.'), 'of protocol 1; protocol 2, 3, 4 or 5'],
    ['protocol 6', bytes('\x80\x06}.'), 'of protocol 6; protocol 2, 3, 4 or 5'],
    [
      'a text in another encoding',
      dictOf(global('_codecs', 'encode'), str('a'), str('utf-8'), '\x86R'),
      'encode in an unknown way',
    ],
    [
      'a long text that is no Latin-1',
      dictOf(
        global('_codecs', 'encode'),
        bytes('X', 0, 0x12, 0, 0, '\xff'.repeat(0x1200)),
        str('latin1'),
        '\x86R',
      ),
      'encode in an unknown way',
    ],
    [
      'bytes of something',
      dictOf(global('__builtin__', 'bytes'), int(9), '\x85R'),
      'bytes in an unknown way',
    ],
    ['a long integer', pickle('\x8a', 7, '1234567'), 'an integer of 7 bytes; at most 6'],
    ['bytes outside the file', dictOf('\x97'), "keeps an array's bytes elsewhere; a pickle with all"],
    ['a read-only buffer', dictOf('N\x98'), 'opcode 0x98'],
    ['an array over fewer bytes than its shape', dictOf(fromBuffer([2], '1234')), 'of shape [2] has 4 bytes'],
    [
      'an array over bytes in an order of its own',
      dictOf(fromBuffer([1], '1234', 'K')),
      '_frombuffer in an unknown',
    ],
    ['an array over a string', dictOf(fromBuffer([1], str('1234'))), '_frombuffer in an unknown way'],
    ['an array over bytes with a state', dictOf(fromBuffer([0], ''), state([0], '')), 'unknown state'],
    [
      'a file that ends after its protocol',
      bytes('\x80\x04'),
      'needs 1 bytes at byte 2, and the file ends at 2',
    ],
    ['the opcode INST', pickle('(', str('x'), 'iposix\nsystem\n'), 'opcode 0x69 at byte 6'],
    ['the opcode NEWOBJ', pickle(global('numpy', 'ndarray'), ')\x81'), 'opcode 0x81'],
    ['a persistent id', pickle(str('x'), 'Q'), 'opcode 0x51'],
    ['a list', dictOf(']'), 'opcode 0x5d'],
    ['a global with an odd name', pickle(global('a\nb', 'c'), '.'), 'asks for "a\\nb.c"'],
    ['a global named by numbers', pickle('K\x01K\x02\x93'), 'names a global with something else'],
    ['text that is no UTF-8', pickle(0x8c, 1, 0xff), 'text at byte 4 is not valid UTF-8'],
    ['text longer than the file', pickle('X', 9, '\0\0\0'), 'needs 9 bytes at byte 7'],
    [
      'text longer than any name',
      pickle('}', '\x8d', int(0x1001).subarray(1), '\0\0\0\0', 'a'.repeat(0x1001), 'Ns'),
      'a text of 4097 bytes at byte 12; at most 4096',
    ],
    [
      'a global without an end',
      pickle('c', 'a'.repeat(5000)),
      'a text of 4097 bytes at byte 3; at most 4096',
    ],
    ['bytes longer than the file', pickle('\x8e', '\xff'.repeat(8)), 'and the file ends at 12'],
    [
      'a frame longer than the file',
      pickle('\x95\x03\0\0\0\0\0\0\0}'),
      'a frame of 3 bytes begins at byte 11 of 13',
    ],
    [
      'a frame inside another',
      pickle('\x95\x0a\0\0\0\0\0\0\0\x95', '\0'.repeat(9)),
      'a frame opens inside another',
    ],
    [
      'an opcode across the end of its frame',
      pickle('\x95\x04\0\0\0\0\0\0\0}J\0\0\0\0'),
      'and its frame ends at 15',
    ],
    ['a line without end', bytes('\x80\x03cnumpy'), 'needs 1 bytes at byte 8'],
    ['a pop off an empty stack', pickle(''), 'takes a value that is not there'],
    ['a tuple of values that are not there', pickle('K\x01\x87'), 'takes a value that is not there'],
    ['a pop across a mark', pickle('}K\x01(K\x02s'), 'takes a value that is not there'],
    ['a mark never set', pickle('}u'), 'closes a mark it never set'],
    ['a mark never closed', pickle('(}'), 'leaves more than one value'],
    ['two values', pickle('}}'), 'leaves more than one value'],
    ['bytes after the end', bytes(pickle('}'), 'x'), "bytes follow the pickle's end at byte 4"],
    ['a memo never stored', pickle('h\x05'), 'recalls memo 5'],
    ['endless opcodes', bytes('\x80\x04', 'N'.repeat(200_001)), 'more than 200000 opcodes'],
    ['a number for a dict', pickle('K\x01'), 'holds something else; a dict'],
    ['items for a number', pickle('K\x01', str('a'), 'Ns'), 'sets items of something else'],
    ['half an item', pickle('}(', str('a'), 'u'), 'sets items of something else'],
    ['a key that is a number', pickle('}K\x01Ns'), 'has a key that is no string'],
    ['a key twice', pickle('}(', str('a'), 'N', str('a'), 'Nu'), 'has "a" twice'],
    ['a number for an array', dictOf('K\x01'), 'entry "a" is no array'],
    ['a dict in the dict', dictOf('}'), 'entry "a" is no array'],
    ['a dict that holds itself', pickle('}\x94', str('a'), 'h\0s'), 'entry "a" is no array'],
    ['a call of a string', pickle(str('eval'), ')R'), 'calls something that is no function'],
    ['a call of ndarray', pickle(global('numpy', 'ndarray'), ')R'), 'calls numpy.ndarray in an unknown way'],
    [
      'a reconstruction of something else',
      pickle(global('numpy.core.multiarray', '_reconstruct'), global('numpy', 'dtype'), 'K\0\x85C\x01b\x87R'),
      'calls numpy.core.multiarray._reconstruct in an unknown way',
    ],
    [
      'a dtype of numbers',
      pickle(global('numpy', 'dtype'), 'K\x01K\x01K\x01\x87R'),
      'calls numpy.dtype in an',
    ],
    ['an array without state', dictOf(array), 'array "a" has no content'],
    ['an array with two states', dictOf(array, state([0], ''), state([0], '')), 'unknown state'],
    ['an array whose state is no tuple', dictOf(array, 'Nb'), 'an array has an unknown state'],
    ['an array with a negative size', dictOf(array, state([-1], '')), 'an array has an unknown state'],
    ['an array of too many dimensions', dictOf(array, state(Array(65).fill(0), '')), 'unknown state'],
    [
      'an array of objects',
      dictOf(array, state([1], '', dtype('O8', '|'))),
      '"|O8"; float32, float16 or float64',
    ],
    [
      'an array of complex numbers',
      dictOf(array, state([1], '12345678', dtype('c8', '<'))),
      'of dtype "<c8"; float32',
    ],
    [
      'a dtype without state',
      dictOf(array, state([0], '', bytes(global('numpy', 'dtype'), str('f4'), '\x89\x88\x87R'))),
      'is of dtype "f4"',
    ],
    [
      'a structured dtype',
      pickle(global('numpy', 'dtype'), str('V4'), '\x89\x88\x87R(K\x03', str('|'), 'NNNK\x04K\x01K\0tb'),
      'dtype "V4" has an unknown state',
    ],
    [
      'a dtype with two states',
      pickle(dtype('f4', '<'), '(K\x03', str('<'), 'NNN', int(-1), int(-1), 'K\0tb'),
      'dtype "f4" has an unknown state',
    ],
    ['a state for a dict', pickle('}Nb'), 'sets the state of something else'],
    [
      'three dimensions in Fortran order',
      dictOf(array, state([1, 1, 1], '1234', dtype('f4', '<'), '\x88')),
      'has 3 dimensions in Fortran order; C order',
    ],
    [
      'fewer bytes than the shape',
      dictOf(array, state([2], '1234')),
      'of shape [2] has 4 bytes; a length of 8 bytes',
    ],
    [
      'more bytes than the shape',
      dictOf(array, state([], '12345678')),
      'of shape [] has 8 bytes; a length of 4 bytes',
    ],
    ['a shape that overflows', dictOf(array, state(Array(3).fill(2 ** 31 - 1), '1234')), 'a size below 2^53'],
  ];
  test.each(attacks)('refuses %s', (_, file, message) => {
    expect(refusal(file)).toContain(message);
  });

  test('refuses arrays that share bytes to ask for more memory than the file has', () => {
    // The memo keeps the call's function and arguments, the dtype and the bytes, so a further array is 21 bytes long.
    const call = bytes(
      bytes(global('numpy.core.multiarray', '_reconstruct'), '\x94'),
      bytes(global('numpy', 'ndarray'), 'K\0\x85C\x01b\x87\x94R'),
    );
    const type = bytes(dtype('f4', '<'), '\x94');
    const content = bytes('C\xa0', '\0'.repeat(160), '\x94');
    const first = bytes(str('first'), call, '(K\x01K\x28\x85', type, '\x89', content, 'tb');
    const further = (index: number) => bytes(str(`a${index}`), 'h\0h\x01R(K\x01K\x28\x85h\x02\x89h\x03tb');
    const sharing = (count: number) =>
      pickle('}(', first, ...Array.from({ length: count }, (_, index) => further(index)), 'u');
    expect(decodePickle(sharing(0), 'x').get('first')).toEqual(float([40], ...Array(40).fill(0)));
    expect(refusal(sharing(60))).toContain('its arrays hold more bytes than the file');
  });
});

describe('encodePickle', () => {
  test('reads back what was written, small and beyond the size of a frame', () => {
    const large = float([300, 100], ...Array.from({ length: 30_000 }, (_, index) => index / 4));
    const arrays = new Map([
      ['W1', float([2, 3], 1, -2, 3, 4, 5.5, 6)],
      ['large', large],
      ['é', float([0])],
      ['also large', large],
      ['scalar', float([], -0)],
    ]);
    expect(decodePickle(encodePickle(arrays), 'x')).toEqual(arrays);
    expect([...decodePickle(encodePickle(arrays), 'x').keys()]).toEqual([...arrays.keys()]);
    expect(decodePickle(encodePickle(new Map()), 'x').size).toBe(0);
  });

  test('writes a view’s own values, not those of the memory around it', () => {
    const view = Float32Array.of(9, 1, 2, 9).subarray(1, 3);
    const written = encodePickle(new Map([['v', { dtype: 'F32', shape: [2], data: view }]]));
    expect(decodePickle(written, 'x').get('v')).toEqual(float([2], 1, 2));
  });

  test('frames hold every opcode but the large arrays', () => {
    const file = Buffer.from(encodePickle(new Map([['a', float([16384], ...Array(16384).fill(1))]])));
    expect(file.subarray(0, 3)).toEqual(bytes('\x80\x04\x95'));
    const firstFrame = Number(file.readBigUInt64LE(3));
    const payload = 11 + firstFrame;
    expect(file.subarray(payload, payload + 5)).toEqual(bytes('B\0\0\x01\0'));
    const second = payload + 5 + 65536;
    expect(file[second]).toBe(0x95);
    expect(second + 9 + Number(file.readBigUInt64LE(second + 1))).toBe(file.length);
  });

  test('refuses data that its shape does not hold', () => {
    expect(() => encodePickle(new Map([['W1', float([2], 1)]]))).toThrow(
      'Array "W1" has 1 values; shape [2]',
    );
  });
});
