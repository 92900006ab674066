/** A segment: its marker, its length and its content. */
function segment(marker: number, content: readonly number[]): Buffer {
  const length = content.length + 2;
  return Buffer.from([0xff, marker, length >> 8, length & 255, ...content]);
}

const latin1 = (text: string): number[] => [...Buffer.from(text, 'latin1')];

export interface FlatJpeg {
  width?: number;
  height?: number;
  /** The sample that the blocks at a column and row have, for each component. */
  samples: ((column: number, row: number) => number)[];
  /** The components' numbers. */
  ids?: readonly number[];
  /** Whether JFIF's segment is there. */
  jfif?: boolean;
  /** The transform that Adobe's segment states. */
  adobe?: number;
}

/** A baseline JPEG of even blocks of 8 x 8 pixels: exact, and of any size, colours and markers. */
export function flatJpeg({
  width = 8,
  height = 8,
  samples,
  ids = [1, 2, 3, 4],
  jfif = false,
  adobe,
}: FlatJpeg): Buffer {
  const own = ids.slice(0, samples.length);
  const size = [height >> 8, height & 255, width >> 8, width & 255];
  return Buffer.concat([
    Buffer.of(0xff, 0xd8),
    jfif ? segment(0xe0, latin1('JFIF\0\x01\x01\0\0\x01\0\x01\0\0')) : Buffer.alloc(0),
    adobe === undefined ? Buffer.alloc(0) : segment(0xee, [...latin1('Adobe\0\x64\0\0\0\0'), adobe]),
    segment(0xdb, [0, ...new Array(64).fill(1)]),
    segment(0xc0, [8, ...size, own.length, ...own.flatMap((id) => [id, 0x11, 0])]),
    // Differences of 0 to 11 bits, each code four bits long; of the rest only that the block ends, one bit.
    segment(0xc4, [
      0x00,
      0,
      0,
      0,
      12,
      ...new Array(12).fill(0),
      ...Array.from({ length: 12 }, (_, bits) => bits),
    ]),
    segment(0xc4, [0x10, 1, ...new Array(15).fill(0), 0]),
    segment(0xda, [own.length, ...own.flatMap((id) => [id, 0x00]), 0, 63, 0]),
    scan(Math.ceil(width / 8), Math.ceil(height / 8), samples),
    Buffer.of(0xff, 0xd9),
  ]);
}

/** The blocks as their differences from those before, packed from the highest bit. */
function scan(columns: number, rows: number, samples: FlatJpeg['samples']): Buffer {
  const bytes: number[] = [];
  let held = 0;
  let free = 8;
  const put = (value: number, count: number) => {
    for (let bit = count - 1; bit >= 0; bit--) {
      held |= ((value >> bit) & 1) << --free;
      if (free > 0) continue;
      bytes.push(held);
      if (held === 0xff) bytes.push(0);
      [held, free] = [0, 8];
    }
  };
  const before = samples.map(() => 0);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      for (const [component, sample] of samples.entries()) {
        const level = 8 * (sample(column, row) - 128);
        const difference = level - before[component]!;
        before[component] = level;
        const bits = 32 - Math.clz32(Math.abs(difference));
        put(bits, 4);
        put(difference < 0 ? difference + 2 ** bits - 1 : difference, bits);
        put(0, 1);
      }
    }
  }
  put(0x7f, 7);
  return Buffer.from(bytes);
}
