// The inputs of each reader: its corpus, changed by bytes, by the format's own parts, or both.
import { crc32, gzipSync, inflateSync } from 'node:zlib';
import { unzipSync, zipSync } from 'fflate';
import { mutateJpeg, mutatePng } from './images.mjs';
import { interesting, mutateBytes, mutateJson, mutateList, writeNumber } from './mutate.mjs';

const bytesOf = (...words) => words.map((word) => Buffer.from(word, 'latin1'));

/** The longest input. */
const MOST_BYTES = 1 << 18;

/** Byte strings that mean something in each format. */
const WORDS = {
  keras: bytesOf(
    'SNOD',
    'TREE',
    'HEAP',
    'GCOL',
    'OHDR',
    'FRHP',
    'BTHD',
    '\x10\0\x10\0',
    '\x11\0\x10\0',
    '\xff'.repeat(8),
    '__proto__\0',
  ),
  idx: bytesOf('\0\0\x08\x03', '\0\0\x08\x01', '\0\0\0\x01', '\xff\xff\xff\xff', '\x1f\x8b\x08\0'),
  gzip: bytesOf('\x1f\x8b\x08\0', '\x1f\x8b\x08\x08', '\0\0\x08\x03', '\x01\0\0\xff\xff', 'name\0'),
  safetensors: bytesOf(
    '"F32"',
    '"I64"',
    '"shape":[',
    '{"',
    '"__metadata__"',
    '[[[[',
    '},',
    ',0',
    '-',
    '1e9',
    '\\u',
  ),
  pickle: bytesOf(
    '(',
    ')',
    't',
    '\x85',
    '\x86',
    '\x87',
    '}',
    's',
    'u',
    'R',
    'b',
    '\x94',
    'h\0',
    'q\xff',
    'N',
    '\x88',
    'K\x01',
    'J\xff\xff\xff\xff',
    '.',
    '\x95\x04\0\0\0\0\0\0\0',
    'cos\nsystem\n',
    '\x8c\x02os\x8c\x06system\x93',
    'C\x04aaaa',
    'X\xff\xff\xff\x7f',
    '\x8e\xff\xff\xff\xff\xff\xff\xff\x7f',
    'cnumpy\nndarray\n',
    'cnumpy.core.numeric\n_frombuffer\n',
    '\x96\x04\0\0\0\0\0\0\0aaaa',
    '\x97',
    'i',
    'P',
    '\x81',
    '\x92',
  ),
  config: bytesOf(
    '[[[[',
    '{"a":',
    '"hidden":',
    '0,',
    '\xef\xbb\xbf',
    '\n',
    '\x1b[2J',
    '\\u0000',
    '1e999',
    '"',
  ),
  results: bytesOf(
    '[[[[',
    '{"a":',
    '"epoch":',
    '0,',
    'null',
    '\n',
    '\x1b[2J',
    '\\ud800',
    '1e999',
    '"',
    '"__proto__":1,',
  ),
  csv: bytesOf(
    '"',
    '""',
    ',',
    ';',
    '\t',
    '\r\n',
    '\n\n',
    '\xef\xbb\xbf',
    'NA',
    '1e999',
    '-',
    '.',
    '007',
    '\xff',
    '2024-02-30',
    '\r',
    '|',
  ),
  parquet: bytesOf(
    'PAR1',
    '\x15\0',
    '\x15\x04',
    '\xff\xff\xff\xff\x0f',
    '\xff\x7f',
    '\x19\xfc',
    '\x18\x04name',
    '\x1c',
    '\0',
  ),
  encoder: bytesOf('[[[[', '{"a":', '"kind":"date"', '0,', 'null', '1e999', '"', '"__proto__":1,'),
  png: bytesOf('IHDR', 'IDAT', 'PLTE', 'tRNS', 'IEND', 'iCCP', 'tEXt', '\0\0\0\0', '\x7f\xff\xff\xff'),
  jpeg: bytesOf(
    '\xff\xd8',
    '\xff\xd9',
    '\xff\xda',
    '\xff\xc0',
    '\xff\xc2',
    '\xff\xc4',
    '\xff\xdb',
    '\xff\xdd\0\x04\0\x01',
    '\xff\0',
    '\xff\xd0',
    '\xff\xff',
    '\xff\xdc',
    '\xff\xe0',
    '\xff\xe1\0\x1aExif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0',
    '\xff\xc1',
    '\xff\xc9',
  ),
};

WORDS.inspect = [
  ...WORDS.safetensors,
  ...WORDS.pickle,
  ...bytesOf('"BF16"', '"F8_E4M3"', '"BOOL"', 'f8', 'b1', '>'),
];

WORDS.import = [
  ...WORDS.safetensors,
  ...WORDS.pickle,
  ...bytesOf(
    '"F16"',
    'Gemm',
    'MatMul',
    'Mul',
    'Sub',
    'Sigmoid',
    'Softmax',
    'Concat',
    'Scaler',
    'Identity',
    'x',
  ),
  ...bytesOf(
    'W1',
    'coefs_0',
    '.weight',
    'running_mean',
    "'descr': '<f8'",
    "'shape': (2, 3)",
    'PK\x01\x02',
    'PK\x03\x04',
  ),
  ...bytesOf('\x0a\x01', '\x12\x01', '\x22\x03', '\x3a\x01', '\x80\x80\x80\x80\x08', '\x0a\0\x0a\0\x0a\0'),
];

const KEYS = {
  keras: [
    'class_name',
    'config',
    'layers',
    'inbound_nodes',
    'output_layers',
    'keras_history',
    'name',
    'units',
    'activation',
    '__proto__',
    'constructor',
  ],
  safetensors: [
    '__metadata__',
    'dtype',
    'shape',
    'data_offsets',
    '0.weight',
    '__proto__',
    'toString',
    'treadle',
  ],
  config: ['architectures', 'hidden', 'name', 'learningRates', 'epochs', '__proto__', 'constructor', 'a\nb'],
  encoder: [
    'columns',
    'kind',
    'name',
    'scale',
    'deviation',
    'values',
    'parts',
    'target',
    'classes',
    '__proto__',
    'constructor',
  ],
  results: ['models', 'best', 'test', 'confusion', 'kept', 'error', '__proto__', 'constructor', 'dataset'],
};

/** What each format's own mutation makes of a file of the corpus. */
const STRUCTURES = {
  idx: mutateIdx,
  gzip: mutateGzip,
  safetensors: mutateSafetensors,
  pickle: mutatePickle,
  inspect: (bytes, tape, corpus) =>
    (bytes[0] === 0x80 ? mutatePickle : mutateSafetensors)(bytes, tape, corpus),
  import: (bytes, tape, corpus) =>
    bytes[0] === 0x80
      ? mutatePickle(bytes, tape, corpus)
      : bytes[8] === 0x7b
        ? mutateSafetensors(bytes, tape, corpus)
        : withChecksums(mutateBytes(bytes, tape, WORDS.import, corpus)),
  config: (bytes, tape) => mutateJsonFile(bytes, tape, KEYS.config),
  results: (bytes, tape) => mutateJsonFile(bytes, tape, KEYS.results),
  csv: (bytes, tape, corpus) => mutateBytes(bytes, tape, WORDS.csv, corpus),
  parquet: mutateParquet,
  keras: mutateKeras,
  encoder: (bytes, tape) => mutateJsonFile(bytes, tape, KEYS.encoder),
  png: mutatePng,
  jpeg: mutateJpeg,
};

/** A zip of entries that are not compressed with their right checksums, so that what is in them is read; all else as it is. */
function withChecksums(bytes) {
  const end = bytes.lastIndexOf('PK\x05\x06');
  if (bytes[0] !== 0x50 || end < 0 || end + 20 > bytes.length) return bytes;
  let at = bytes.readUInt32LE(end + 16);
  while (at + 46 <= end && bytes.readUInt32LE(at) === 0x02014b50) {
    const local = bytes.readUInt32LE(at + 42);
    if (local + 30 > bytes.length) break;
    const start = local + 30 + bytes.readUInt16LE(local + 26) + bytes.readUInt16LE(local + 28);
    bytes.writeUInt32LE(crc32(bytes.subarray(start, start + bytes.readUInt32LE(at + 20))), at + 16);
    at += 46 + bytes.readUInt16LE(at + 28) + bytes.readUInt16LE(at + 30) + bytes.readUInt16LE(at + 32);
  }
  return bytes;
}

/** The input that a tape stands for. */
export function inputOf(reader, corpus, tape) {
  const file = tape.of(corpus);
  const way = tape.below(8);
  if (way < 3) return mutateBytes(file, tape, WORDS[reader], corpus);
  const changed = STRUCTURES[reader](Buffer.from(file), tape, corpus).subarray(0, MOST_BYTES);
  return way < 7 ? changed : mutateBytes(changed, tape, WORDS[reader], corpus);
}

/** Bytes of an element of IDX's types. */
const IDX_BYTES = { 8: 1, 9: 1, 11: 2, 12: 4, 13: 4, 14: 8 };

/** Changes the type or a size, and often the content with it. */
function mutateIdx(bytes, tape) {
  const header = bytes.subarray(0, bytes[3] === 1 ? 8 : 16);
  for (let at = 4; at + 4 <= header.length; at += 4) {
    if (tape.oneIn(2)) header.writeUInt32BE(interesting(tape) % 2 ** 32, at);
  }
  if (tape.oneIn(2)) header[2] = tape.of([8, 9, 11, 12, 13, 14]);
  let length = IDX_BYTES[header[2]] ?? 1;
  for (let at = 4; at + 4 <= header.length; at += 4) length *= header.readUInt32BE(at);
  const fits = tape.below(4) > 0 && length < 1 << 16;
  return Buffer.concat([header, Buffer.alloc(fits ? length : tape.below(100), tape.below(256))]);
}

/** Changes the footer, whose length is written anew, or the beginning of a page, where its header is. */
function mutateParquet(bytes, tape, corpus) {
  const end = bytes.length - 8;
  const start = end < 4 ? -1 : end - bytes.readUInt32LE(end);
  if (start < 4) return mutateBytes(bytes, tape, WORDS.parquet, corpus);
  const footer = bytes.subarray(start, end);
  if (tape.oneIn(2)) {
    const changed = mutateBytes(footer, tape, WORDS.parquet, [footer]);
    const length = Buffer.alloc(4);
    length.writeUInt32LE(changed.length);
    return Buffer.concat([bytes.subarray(0, start), changed, length, Buffer.from('PAR1')]);
  }
  // Pages lie where the footer says, so they keep their lengths.
  const pages = Buffer.from(bytes);
  const at = 4 + tape.below(Math.max(1, tape.oneIn(2) ? Math.min(40, start - 4) : start - 4));
  for (let byte = at; byte < Math.min(start, at + 1 + tape.below(6)); byte++) pages[byte] = tape.below(256);
  return pages;
}

/** Changes words where something stands, most of a file being zeros: often to another word, which may be an address. */
function mutateHdf5(bytes, tape) {
  const file = Buffer.from(bytes);
  const words = [];
  for (let at = 0; at + 8 <= file.length; at += 8) if (file.readBigUInt64LE(at) !== 0n) words.push(at);
  if (words.length === 0) return file;
  for (let count = 1 + tape.below(3); count > 0; count--) {
    const at = tape.of(words);
    const way = tape.below(3);
    if (way === 0) file.copy(file, at, tape.of(words), tape.of(words) + 8);
    else if (way === 1) file[at + tape.below(8)] = tape.below(256);
    else {
      const size = tape.of([1, 2, 4, 8]);
      const value = BigInt.asUintN(8 * size, BigInt(interesting(tape)));
      for (let byte = 0; byte < size; byte++) file[at + byte] = Number((value >> BigInt(8 * byte)) & 255n);
    }
  }
  return file;
}

/** HDF5, or the configuration or the HDF5 in a zip. */
function mutateKeras(bytes, tape) {
  if (bytes[0] !== 0x50) return mutateHdf5(bytes, tape);
  let files;
  try {
    files = unzipSync(bytes);
  } catch {
    return mutateHdf5(bytes, tape);
  }
  const name = tape.of(['config.json', 'model.weights.h5']);
  if (files[name] === undefined) return mutateHdf5(bytes, tape);
  const changed =
    name === 'config.json'
      ? mutateJsonFile(Buffer.from(files[name]), tape, KEYS.keras)
      : mutateHdf5(files[name], tape);
  return Buffer.from(zipSync({ ...files, [name]: changed }, { level: 0, mtime: new Date(1980, 0, 1) }));
}

/** Changes what is inside, compresses it anew, and often the header or trailer after that. */
function mutateGzip(bytes, tape, corpus) {
  let inner;
  try {
    inner = gunzipQuietly(bytes);
  } catch {
    inner = Buffer.alloc(0);
  }
  if (tape.oneIn(40))
    inner = Buffer.concat([inner.subarray(0, 16), Buffer.alloc(interesting(tape) % (1 << 22))]);
  if (inner.length > 3 && tape.oneIn(2)) inner = mutateIdx(inner, tape);
  else if (inner.length < 1 << 16) inner = mutateBytes(inner, tape, WORDS.idx, [inner]);
  const packed = gzipSync(inner, { level: tape.below(10) });
  switch (tape.below(6)) {
    case 0:
      return Buffer.concat([packed, tape.of(corpus)]);
    case 1:
      return writeNumber(packed, packed.length - 4, tape);
    case 2: {
      // A name of any length in the header.
      packed[3] |= 8;
      const name = Buffer.alloc(tape.below(10_000), 0x61);
      return Buffer.concat([packed.subarray(0, 10), name, Buffer.alloc(1), packed.subarray(10)]);
    }
    default:
      return packed;
  }
}

/** The content of gzip's first member, by its deflate data alone; throws when there is none. */
function gunzipQuietly(bytes) {
  const start = bytes[3] & 8 ? bytes.indexOf(0, 10) + 1 : 10;
  const wrapped = Buffer.concat([Buffer.of(0x78, 0x9c), bytes.subarray(start)]);
  return inflateSync(wrapped, { finishFlush: 2, maxOutputLength: 1 << 22 });
}

/** Changes the header's values and writes its length and the data anew. */
function mutateSafetensors(bytes, tape) {
  const length = Number(bytes.readBigUInt64LE(0));
  let header;
  try {
    header = JSON.parse(bytes.toString('utf8', 8, 8 + length));
  } catch {
    return writeNumber(bytes, tape.below(8), tape);
  }
  let data = bytes.subarray(8 + length);
  const text = Buffer.from(JSON.stringify(mutateJson(header, tape, KEYS.safetensors)));
  if (tape.oneIn(3)) data = mutateBytes(data, tape, [Buffer.alloc(4, 0xff)], [data]);
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([size, text, data]);
}

/** Lengths of the arguments of the opcodes that have fixed ones, and the bytes of the length that the others have. */
const FIXED = { 128: 1, 149: 8, 74: 4, 75: 1, 77: 2, 113: 1, 114: 4, 104: 1, 106: 4 };
const COUNTED = { 140: 1, 88: 4, 141: 8, 67: 1, 66: 4, 142: 8, 150: 8 };

/** Leaves out, repeats, exchanges and changes opcodes with their arguments; frames are often left out before. */
function mutatePickle(bytes, tape, corpus) {
  const drop = tape.below(4) > 0;
  const parts = opcodesOf(bytes).filter(([opcode]) => !(drop && opcode === 0x95));
  const words = [...WORDS.pickle, ...opcodesOf(tape.of(corpus))];
  const change = (part) => (part.length > 1 ? writeNumber(Buffer.from(part), 1, tape) : tape.of(words));
  return Buffer.concat(mutateList(parts, tape, change, words)).subarray(0, 1 << 16);
}

function opcodesOf(bytes) {
  const parts = [];
  for (let at = 0; at < bytes.length; ) {
    const opcode = bytes[at];
    let length = 1 + (FIXED[opcode] ?? 0);
    const counted = COUNTED[opcode];
    if (counted !== undefined && at + 1 + counted <= bytes.length) {
      length = 1 + counted + bytes.readUIntLE(at + 1, Math.min(counted, 6));
    }
    if (opcode === 0x63) length = bytes.indexOf(0x0a, bytes.indexOf(0x0a, at) + 1) + 1 - at;
    if (length < 1) length = bytes.length - at;
    parts.push(bytes.subarray(at, at + length));
    at += length;
  }
  return parts;
}

function mutateJsonFile(bytes, tape, keys) {
  let value;
  try {
    value = JSON.parse(bytes.toString('utf8'));
  } catch {
    value = {};
  }
  const changed = mutateJson(value, tape, keys);
  let text = JSON.stringify(changed) ?? '';
  if (text.length < 5000 && tape.oneIn(3)) text = JSON.stringify(changed, null, 1);
  // A key that stands twice can only be written by hand.
  return Buffer.from(tape.oneIn(10) ? text.replace('{', `{"${tape.of(keys)}":1,`) : text);
}
