// Builds small JPEG files of every kind that the reader takes. Every three bits but 111 are a Huffman code, and the
// data never have three ones in a row: any noise is an image, and only its frame and scans matter.

/** Differences of 0 to 6 bits. */
const DC_SYMBOLS = [0, 1, 2, 3, 4, 5, 6];
/** End of block, one bit after 0, 1, 2 and 3 zeros, sixteen zeros, and a run of ended blocks. */
const AC_SYMBOLS = [0x00, 0x01, 0x11, 0x21, 0x31, 0xf0, 0x10];

/** A segment: its marker, its length and its content. */
export function segment(marker, content) {
  const length = content.length + 2;
  return Buffer.concat([Buffer.of(0xff, marker, length >> 8, length & 255), Buffer.from(content)]);
}

/** A table of codes that are all three bits long. */
function huffmanTable(place, symbols) {
  return segment(0xc4, [place, 0, 0, symbols.length, ...new Array(13).fill(0), ...symbols]);
}

/** Bytes of noise of which every third bit is zero. */
function noise(length) {
  let state = length;
  return Buffer.from(
    Array.from({ length }, (_, at) => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return (state >>> 24) & [0x6d, 0xb6, 0xdb][at % 3];
    }),
  );
}

/**
 * A JPEG file. `factors` has one pair of sampling factors a component, `ids` their numbers (default: from 1),
 * `adobe` the transform that Adobe's segment states; `scans` lists, for each scan, the components,
 * the first and last coefficient, and the bits of successive approximation (two nibbles).
 */
export function jpegFile({
  width,
  height,
  factors,
  ids = [1, 2, 3, 4],
  scans,
  progressive = false,
  restart = 0,
  adobe,
  jfif = true,
  exif = false,
}) {
  const size = [height >> 8, height & 255, width >> 8, width & 255];
  const components = factors.flatMap(([h, v], index) => [ids[index], h * 16 + v, 0]);
  const parts = [Buffer.of(0xff, 0xd8)];
  if (jfif) parts.push(segment(0xe0, Buffer.from('JFIF\0\x01\x01\0\0\x01\0\x01\0\0', 'latin1')));
  if (exif)
    parts.push(
      segment(0xe1, Buffer.from('Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06', 'latin1')),
    );
  if (adobe !== undefined) {
    parts.push(segment(0xee, [...Buffer.from('Adobe\0\x64\0\0\0\0', 'latin1'), adobe]));
  }
  parts.push(segment(0xdb, [0, ...new Array(64).fill(8)]));
  parts.push(segment(progressive ? 0xc2 : 0xc0, [8, ...size, factors.length, ...components]));
  parts.push(huffmanTable(0x00, DC_SYMBOLS), huffmanTable(0x10, AC_SYMBOLS));
  if (restart > 0) parts.push(segment(0xdd, [0, restart]));
  for (const { of, first, last, bits } of scans) {
    const selectors = of.flatMap((index) => [ids[index], 0x00]);
    parts.push(segment(0xda, [of.length, ...selectors, first, last, bits]));
    // Three empty blocks, the restart interval of the corpus, take eighteen zeros.
    parts.push(...(restart > 0 ? [Buffer.alloc(3), Buffer.of(0xff, 0xd0), Buffer.alloc(3)] : [noise(120)]));
  }
  parts.push(Buffer.of(0xff, 0xd9));
  return Buffer.concat(parts);
}

const BASELINE = { first: 0, last: 63, bits: 0 };
const PROGRESSIVE = [
  { first: 0, last: 0, bits: 0x01 },
  { first: 1, last: 5, bits: 0x02 },
  { first: 6, last: 63, bits: 0x02 },
  { first: 1, last: 63, bits: 0x21 },
  { first: 0, last: 0, bits: 0x10 },
];

/** One file of each kind, of at most 24 by 17 pixels. */
export function jpegCorpus() {
  const grey = { width: 24, height: 16, factors: [[1, 1]] };
  const colour = {
    width: 17,
    height: 9,
    factors: [
      [2, 2],
      [1, 1],
      [1, 1],
    ],
  };
  const cmyk = {
    width: 9,
    height: 8,
    factors: [
      [1, 1],
      [1, 1],
      [1, 1],
      [1, 1],
    ],
  };
  const all = [0, 1, 2];
  return [
    jpegFile({ ...grey, scans: [{ of: [0], ...BASELINE }] }),
    jpegFile({ ...grey, exif: true, scans: [{ of: [0], ...BASELINE }] }),
    jpegFile({ ...grey, restart: 3, scans: [{ of: [0], ...BASELINE }] }),
    jpegFile({ ...colour, scans: [{ of: all, ...BASELINE }] }),
    jpegFile({ ...colour, scans: all.map((index) => ({ of: [index], ...BASELINE })) }),
    jpegFile({ ...colour, jfif: false, adobe: 0, scans: [{ of: all, ...BASELINE }] }),
    jpegFile({ ...colour, jfif: false, ids: [82, 71, 66], scans: [{ of: all, ...BASELINE }] }),
    jpegFile({ ...cmyk, jfif: false, scans: [{ of: [0, 1, 2, 3], ...BASELINE }] }),
    jpegFile({ ...cmyk, adobe: 2, scans: [{ of: [0, 1, 2, 3], ...BASELINE }] }),
    jpegFile({ ...grey, progressive: true, scans: PROGRESSIVE.map((scan) => ({ of: [0], ...scan })) }),
    jpegFile({
      ...colour,
      progressive: true,
      scans: PROGRESSIVE.flatMap((scan) =>
        scan.first === 0 ? [{ of: all, ...scan }] : all.map((index) => ({ of: [index], ...scan })),
      ),
    }),
  ];
}
