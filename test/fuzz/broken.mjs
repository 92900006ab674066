// Files that were made to do harm: what the readers' limits are for. Each is refused, and stays a start for mutations.
import { gzipSync } from 'node:zlib';
import { jpegFile } from './jpeg.mjs';
import { pngBytes, pngChunk } from './png.mjs';

const latin1 = (...parts) => Buffer.concat(parts.map((part) => Buffer.from(part, 'latin1')));
const twice = (name) => Buffer.from(`{"${name}":1,"${name}":2}`);

/** Broken files by reader. */
export const BROKEN = {
  parquet: () => [latin1('PAR1'), latin1('PAR1\0\0\0\0PAR1'), latin1('PAR1\xff\xff\xff\x7fPAR1')],
  csv: () => [latin1('a,a\n1,2\n'), latin1('"a\n'), latin1(',\n'), latin1('a\n1,2\n'), latin1('\xff\xfea\0')],
  keras: () => [
    latin1('\x89HDF\r\n\x1a\n'),
    latin1('\x89HDF\r\n\x1a\n', '\0'.repeat(200)),
    latin1('\x89HDF\r\n\x1a\n\x02\x08\x08', '\0'.repeat(200)),
  ],
  encoder: () => [latin1('{}'), latin1('[1'), latin1('{"version":2}')],
  idx: () => [
    latin1('\0\0\x08\x03', '\xff'.repeat(12)),
    latin1('\0\0\x08\x03', '\x80\0\0\0\0\0\0\x02\0\0\0\x01'),
    latin1('\0\0\x08\x01', '\xff\xff\xff\xff'),
  ],
  gzip: () => [
    // Far more than the header says, next to nothing in many members, and a name that never ends.
    gzipSync(latin1('\0\0\x08\x03', '\0\0\0\x01\0\0\0\x02\0\0\0\x02', Buffer.alloc(1 << 20))),
    Buffer.concat(new Array(500).fill(gzipSync(Buffer.alloc(0)))),
    latin1('\x1f\x8b\x08\x08\0\0\0\0\0\x03', 'a'.repeat(9000)),
    gzipSync(latin1('\0\0\x08\x03', '\xff\xff\xff\xff\0\0\x04\0\0\0\x04\0')),
  ],
  safetensors: () => [
    safetensors('{"__metadata__":{"treadle":"1","hidden":"', '['.repeat(2000), '"}}'),
    safetensors('{"a":{"dtype":"F32","shape":[9007199254740991,3],"data_offsets":[0,4]}}'),
    safetensors('{"a":', '['.repeat(2000), '}'),
    safetensors('{"a\\u001b[2J":1}'),
    latin1('\xff\xff\xff\xff\xff\xff\xff\x7f{'),
  ],
  pickle: () => [
    latin1('\x80\x04cos\nsystem\n\x8c\x02id\x85R.'),
    latin1('\x80\x04\x8c\x05posix\x8c\x06system\x93\x8c\x02id\x85R.'),
    latin1('\x80\x04c', 'a'.repeat(9000)),
    latin1('\x80\x04', '}\x94'.repeat(2000), '.'),
    latin1('\x80\x04', '\x8c\0'.repeat(2000), '.'),
    latin1('\x80\x04', '('.repeat(2000), 't'.repeat(2000), '.'),
    latin1('\x80\x04X\xff\xff\xff\x7fa.'),
  ],
  config: () => [
    twice('epochs'),
    Buffer.from('['.repeat(2000)),
    Buffer.from('{"a\nb\u001b[2J":1}'),
    Buffer.from('{"a\\nb\\u001b[2J\\u202e":1}'),
    Buffer.from(`{"learningRates":[${'[],'.repeat(2000)}1]}`),
  ],
  results: () => [
    twice('schema'),
    Buffer.from('{"schema":1,\n"\u001b[2J": nothing}'),
    Buffer.from(`{"schema":1,"models":${'['.repeat(2000)}`),
    Buffer.from(`{"schema":1,"models":[${'[],'.repeat(2000)}1]}`),
  ],
  png: () => [
    pngBytes({ width: 1, height: 70_000, depth: 8, colorType: 0 }, [], Buffer.alloc(140_000)),
    pngBytes({ width: 2, height: 1, depth: 8, colorType: 0 }, [], Buffer.alloc(1 << 20)),
    pngBytes(
      { width: 2, height: 1, depth: 8, colorType: 3 },
      [pngChunk('PLTE', Buffer.alloc(3000))],
      Buffer.alloc(3),
    ),
    pngBytes(
      { width: 2, height: 1, depth: 8, colorType: 0 },
      new Array(500).fill(pngChunk('IDAT', [])),
      Buffer.alloc(3),
    ),
    pngBytes({ width: 2 ** 31, height: 2 ** 31, depth: 16, colorType: 6 }, [], Buffer.alloc(3)),
  ],
  jpeg: () => [
    jpegFile({
      width: 5000,
      height: 5000,
      factors: [[1, 1]],
      scans: [{ of: [0], first: 0, last: 63, bits: 0 }],
    }),
    jpegFile({
      width: 300,
      height: 300,
      factors: [[1, 1]],
      progressive: true,
      scans: new Array(150).fill({ of: [0], first: 1, last: 63, bits: 1 }),
    }),
    jpegFile({ width: 65_535, height: 65_535, factors: [[4, 4]], scans: [] }),
  ],
};

BROKEN.import = () => [...BROKEN.safetensors(), ...BROKEN.pickle()];
BROKEN.inspect = () => [...BROKEN.safetensors(), ...BROKEN.pickle()];

function safetensors(...header) {
  const text = latin1(...header);
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([size, text]);
}
