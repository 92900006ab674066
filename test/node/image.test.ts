import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32, deflateSync } from 'node:zlib';
import { encode } from 'fast-png';
import { describe, expect, it } from 'vitest';
import { decodeImage, readImage } from '../../dist/node/image.js';
import { failure } from '../support/errors.js';
import { temporaryFolder } from '../support/folder.js';
import { flatJpeg } from '../support/jpeg.js';

async function read(bytes: Uint8Array, width: number, height: number): Promise<number[]> {
  const path = join(await temporaryFolder(), 'image');
  await writeFile(path, bytes);
  return [...(await readImage(path, width, height))];
}

const SIGNATURE = Buffer.from('89504e470d0a1a0a', 'hex');

function chunk(type: string, content: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), content]);
  const out = Buffer.alloc(body.length + 8);
  out.writeUInt32BE(content.length, 0);
  body.copy(out, 4);
  out.writeUInt32BE(crc32(body), body.length + 4);
  return out;
}

function header(width: number, height: number, depth: number, colorType: number, interlace = 0): Buffer {
  const content = Buffer.alloc(13);
  content.writeUInt32BE(width, 0);
  content.writeUInt32BE(height, 4);
  content.set([depth, colorType, 0, 0, interlace], 8);
  return chunk('IHDR', content);
}

/** A PNG of the given chunks between its header and its end. */
function png(head: Buffer, ...chunks: Buffer[]): Buffer {
  return Buffer.concat([SIGNATURE, head, ...chunks, chunk('IEND', Buffer.alloc(0))]);
}

/** A data chunk of scanlines, each with its filter byte. */
function data(...bytes: number[]): Buffer {
  return chunk('IDAT', deflateSync(Buffer.from(bytes)));
}

/** A data chunk of so many zeros: black lines without a filter. */
function lines(length: number): Buffer {
  return chunk('IDAT', deflateSync(Buffer.alloc(length)));
}

describe('PNG', () => {
  it('keeps grey pixels of the right size exactly', async () => {
    const pixels = Uint8Array.from({ length: 28 * 28 }, (_, index) => (index * 37) % 256);
    const bytes = encode({ width: 28, height: 28, data: pixels, channels: 1 });
    expect(await read(bytes, 28, 28)).toEqual([...pixels]);
  });

  it('weighs colours by Rec. 601', async () => {
    const colours = Uint8Array.of(255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255);
    // 0.299 * 255 = 76.2, 0.587 * 255 = 149.7, 0.114 * 255 = 29.1.
    expect(await read(encode({ width: 4, height: 1, data: colours, channels: 3 }), 4, 1)).toEqual([
      76, 150, 29, 255,
    ]);
  });

  it('composites transparency over black', async () => {
    const rgba = Uint8Array.of(255, 255, 255, 128, 255, 255, 255, 0, 100, 100, 100, 255);
    expect(await read(encode({ width: 3, height: 1, data: rgba, channels: 4 }), 3, 1)).toEqual([128, 0, 100]);
    const greyAlpha = Uint8Array.of(200, 51, 90, 255);
    expect(await read(encode({ width: 2, height: 1, data: greyAlpha, channels: 2 }), 2, 1)).toEqual([40, 90]);
  });

  it('scales 16-bit samples', async () => {
    const samples = Uint16Array.of(65535, 32768, 257, 0);
    const bytes = encode({ width: 4, height: 1, data: samples, depth: 16, channels: 1 });
    expect(await read(bytes, 4, 1)).toEqual([255, 128, 1, 0]);
  });

  it.each([
    { depth: 1, packed: [0b1010_0000, 0b0110_0000], expected: [255, 0, 255, 0, 255, 255] },
    { depth: 2, packed: [0b0001_1000, 0b1100_0100], expected: [0, 85, 170, 255, 0, 85] },
    { depth: 4, packed: [0x0f, 0x10, 0x2e, 0x30], expected: [0, 255, 17, 34, 238, 51] },
  ])('unpacks samples of $depth bits, lines starting on a byte', async ({ depth, packed, expected }) => {
    const half = packed.length / 2;
    const lines = data(0, ...packed.slice(0, half), 0, ...packed.slice(half));
    expect(await read(png(header(3, 2, depth, 0), lines), 3, 2)).toEqual(expected);
  });

  it('looks colours up in a palette, with transparency', async () => {
    const palette = chunk('PLTE', Buffer.from([255, 255, 255, 255, 0, 0, 10, 10, 10]));
    const alpha = chunk('tRNS', Buffer.from([51]));
    expect(await read(png(header(3, 1, 8, 3), palette, data(0, 0, 1, 2)), 3, 1)).toEqual([255, 76, 10]);
    expect(await read(png(header(3, 1, 8, 3), palette, alpha, data(0, 0, 1, 2)), 3, 1)).toEqual([51, 76, 10]);
    expect(await read(png(header(3, 1, 2, 3), palette, data(0, 0b10_01_00_00)), 3, 1)).toEqual([10, 76, 255]);
  });

  it('takes the transparent colour as black', async () => {
    const grey = chunk('tRNS', Buffer.from([0, 200]));
    expect(await read(png(header(2, 1, 8, 0), grey, data(0, 200, 201)), 2, 1)).toEqual([0, 201]);
    const one = chunk('tRNS', Buffer.from([0, 1]));
    expect(await read(png(header(2, 1, 1, 0), one, data(0, 0b1000_0000)), 2, 1)).toEqual([0, 0]);
    const rgb = chunk('tRNS', Buffer.from([0, 9, 0, 9, 0, 9]));
    expect(await read(png(header(3, 1, 8, 2), rgb, data(0, 9, 9, 9, 9, 9, 8, 8, 8, 8)), 3, 1)).toEqual([
      0, 9, 8,
    ]);
  });

  it('reads interlaced images', async () => {
    const pixels = Uint8Array.from({ length: 9 * 7 }, (_, index) => index * 4);
    const bytes = encode({ width: 9, height: 7, data: pixels, channels: 1 }, { interlace: 'Adam7' });
    expect(await read(bytes, 9, 7)).toEqual([...pixels]);
    const colours = Uint8Array.from({ length: 9 * 7 * 3 }, (_, index) => (index * 37) % 256);
    const image = { width: 9, height: 7, data: colours, channels: 3 as const };
    expect(await read(encode(image, { interlace: 'Adam7' }), 9, 7)).toEqual(await read(encode(image), 9, 7));
  });

  it.each([1, 2, 4, 8, 16])('reads interlaced samples of %i bits as those in lines', async (depth) => {
    const [width, height] = [5, 6];
    const most = 2 ** depth - 1;
    const samples = Array.from({ length: width * height }, (_, index) => (index * 7 + 3) % (most + 1));
    const line = (values: number[]) => {
      const bits = values.map((value) => value.toString(2).padStart(depth, '0')).join('');
      return [0, ...(bits.match(/.{1,8}/g) ?? []).map((byte) => Number.parseInt(byte.padEnd(8, '0'), 2))];
    };
    const passes: [number, number, number, number][] = [
      [0, 0, 8, 8],
      [4, 0, 8, 8],
      [0, 4, 4, 8],
      [2, 0, 4, 4],
      [0, 2, 2, 4],
      [1, 0, 2, 2],
      [0, 1, 1, 2],
    ];
    const bytes = passes.flatMap(([x, y, xStep, yStep]) => {
      const rows = Array.from({ length: height }, (_, row) => row).filter((row) => row % yStep === y);
      return rows.flatMap((row) =>
        line(samples.slice(row * width, (row + 1) * width).filter((_, column) => column % xStep === x)),
      );
    });
    const expected = samples.map((sample) => Math.round((sample * 255) / most));
    expect(await read(png(header(width, height, depth, 0, 1), data(...bytes)), width, height)).toEqual(
      expected,
    );
  });

  it('undoes every filter', async () => {
    const bytes = data(1, 10, 5, 1, 2, 10, 1, 1, 3, 10, 2, 2, 4, 1, 1, 1, 4, 0, 0, 200);
    // Sub: 10 15 16. Up: 20 16 17. Average: 10 + 20 / 2, 2 + (20 + 16) / 2, 2 + (20 + 17) / 2. Paeth: 1 + 20; of left 21,
    // up 20 and corner 20 left is nearest to 21; of 22, 20 and 20 left again; then up, left 21 against up 22 and corner 21,
    // and left 22, up 23 and corner 22 with the sum cut to a byte.
    expect(await read(png(header(3, 5, 8, 0), bytes), 3, 5)).toEqual([
      10, 15, 16, 20, 16, 17, 20, 20, 20, 21, 22, 23, 21, 22, 223,
    ]);
    // The first line has nothing above it.
    expect(await read(png(header(2, 1, 8, 0), data(2, 7, 9)), 2, 1)).toEqual([7, 9]);
    expect(await read(png(header(2, 1, 8, 0), data(4, 7, 9)), 2, 1)).toEqual([7, 16]);
  });

  it('reads pixels in many chunks', async () => {
    const compressed = deflateSync(Buffer.from([0, 3, 4]));
    const chunks = [...compressed].map((byte) => chunk('IDAT', Buffer.of(byte)));
    expect(await read(png(header(2, 1, 8, 0), chunk('IDAT', Buffer.alloc(0)), ...chunks), 2, 1)).toEqual([
      3, 4,
    ]);
  });

  it('skips what is not pixels, even when it is damaged', async () => {
    const profile = chunk('iCCP', Buffer.from('name without an end'));
    expect(await read(png(header(2, 1, 8, 0), profile, data(0, 3, 4)), 2, 1)).toEqual([3, 4]);
  });
});

describe('how an image is taken', () => {
  const shape = png(
    header(3, 1, 8, 3),
    chunk('PLTE', Buffer.from([0, 0, 0, 200, 200, 200])),
    chunk('tRNS', Buffer.from([0, 51])),
    data(0, 0, 1, 1),
  );
  const take = (bytes: Uint8Array, options: object) => [...decodeImage(bytes, 'x', 3, 1, options)];

  it('light and dark are exchanged where that is asked for', () => {
    const grey = encode({ width: 3, height: 1, data: Uint8Array.of(0, 100, 255), channels: 1 });
    expect(take(grey, { invert: true })).toEqual([255, 155, 0]);
    expect(take(grey, { invert: false })).toEqual([0, 100, 255]);
  });

  it('what is transparent has the background behind it, which is inverted with the rest', () => {
    expect(take(shape, {})).toEqual([0, 40, 40]);
    expect(take(shape, { background: 255 })).toEqual([255, 244, 244]);
    expect(take(shape, { background: 255, invert: true })).toEqual([0, 11, 11]);
    const key = png(header(3, 1, 8, 0), chunk('tRNS', Buffer.from([0, 9])), data(0, 9, 8, 9));
    expect(take(key, { background: 100 })).toEqual([100, 8, 100]);
    const alpha = encode({ width: 3, height: 1, data: Uint8Array.of(9, 0, 9, 255, 200, 51), channels: 2 });
    expect(take(alpha, { background: 100 })).toEqual([100, 9, 120]);
  });

  it.each<[string, unknown[], string, string]>([
    [
      'its size as an object',
      [{ width: 3, height: 1 }],
      'range',
      'width is an object (Object); a whole number from 1',
    ],
    ['no size', [], 'range', 'width is missing; a whole number from 1'],
    ['a size as text', ['3', '1'], 'range', "width is '3'; a whole number"],
    ['no height', [3], 'range', 'height is missing; a whole number from 1'],
    ['a height of 0', [3, 0], 'range', 'height is 0; a whole number from 1'],
    ['half a pixel', [2.5, 1], 'range', 'width is 2.5; a whole number from 1'],
    [
      'more pixels than a layer can take',
      [2048, 1024],
      'range',
      'width x height is 2048 x 1024; at most 1048576 pixels',
    ],
    ['options that are none', [3, 1, true], 'usage', 'options is true; an object is expected.'],
    [
      'an unknown option',
      [3, 1, { inverted: true }],
      'usage',
      "options has the unknown key 'inverted'; known keys only (invert, background)",
    ],
    ['an inversion that is neither', [3, 1, { invert: 1 }], 'usage', 'options.invert is 1; true or false'],
    [
      'a background beyond white',
      [3, 1, { background: 256 }],
      'range',
      'options.background is 256; a number from 0 to 255',
    ],
    [
      'a background in words',
      [3, 1, { background: 'white' }],
      'range',
      "options.background is 'white'; a number",
    ],
  ])('%s is refused', async (_, args, code, sentence) => {
    const path = join(await temporaryFolder(), 'image.png');
    await writeFile(path, shape);
    const call = readImage as (...args: unknown[]) => Promise<unknown>;
    const error = await failure(code as 'range', () => call(path, ...args));
    expect(error.message).toContain(sentence);
  });
});

describe('resizing', () => {
  const grey = (width: number, height: number, ...pixels: number[]) =>
    encode({ width, height, data: Uint8Array.from(pixels), channels: 1 });

  it('averages whole blocks', async () => {
    const bytes = grey(4, 2, 0, 10, 100, 200, 20, 30, 40, 60);
    expect(await read(bytes, 2, 1)).toEqual([15, 100]);
  });

  it('weighs pixels on an edge by their share', async () => {
    // Each new pixel covers one and a half: (0 + 90 / 2) / 1.5 and (90 / 2 + 30) / 1.5.
    expect(await read(grey(3, 1, 0, 90, 30), 2, 1)).toEqual([30, 50]);
    expect(await read(grey(1, 3, 0, 90, 30), 1, 2)).toEqual([30, 50]);
  });

  it('repeats pixels to enlarge, each direction by itself', async () => {
    expect(await read(grey(2, 1, 7, 9), 4, 2)).toEqual([7, 7, 9, 9, 7, 7, 9, 9]);
  });

  it('keeps an even image even at any size', async () => {
    const bytes = grey(13, 11, ...new Array(143).fill(201));
    expect(new Set(await read(bytes, 28, 5))).toEqual(new Set([201]));
  });

  it('takes no memory for the rows of a tall image', async () => {
    const tall = png(header(1, 65_535, 8, 0), lines(2 * 65_535));
    const before = process.memoryUsage().arrayBuffers;
    // As rows of the width asked for, the image would have 260 MB.
    expect((await read(tall, 1000, 1)).length).toBe(1000);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 26);
  });

  it('keeps rows and columns apart', async () => {
    const pixels = Array.from({ length: 6 * 4 }, (_, index) => 10 * Math.floor(index / 6) + (index % 6));
    // Means of 2 x 2 blocks: the mean row (0.5, 2.5) times ten, and the mean column (0.5, 2.5, 4.5).
    expect(await read(grey(6, 4, ...pixels), 3, 2)).toEqual([6, 8, 10, 26, 28, 30]);
  });
});

describe('JPEG', () => {
  const encoded = (...samples: number[]) =>
    flatJpeg({ width: 16, height: 16, jfif: true, samples: samples.map((sample) => () => sample) });

  it.each([10, 100, 180])('refuses one truncated to %i bytes', async (length) => {
    const error = await failure('format', () => read(encoded(9, 9, 9).subarray(0, length), 4, 4));
    expect(error.message).toMatch(/image is damaged JPEG \(.+\); a whole image is expected\.$/);
  });

  /** A JPEG's segments, the last scan with its data, and the file that they make up. */
  const segments = (bytes: Buffer): Buffer[] => {
    const parts: Buffer[] = [];
    for (let at = 2; bytes[at + 1] !== 0xd9; ) {
      const end = bytes[at + 1] === 0xda ? bytes.length - 2 : at + 2 + bytes.readUInt16BE(at + 2);
      parts.push(bytes.subarray(at, end));
      at = end;
    }
    return parts;
  };
  const jpegOf = (...parts: Buffer[]) =>
    Buffer.concat([Buffer.of(0xff, 0xd8), ...parts, Buffer.of(0xff, 0xd9)]);
  const segment = (marker: number, ...content: number[]) =>
    Buffer.of(0xff, marker, 0, content.length + 2, ...content);
  const good = segments(encoded(200, 200, 200));
  const of = (marker: number) => good.find((part) => part[1] === marker)!;
  const without = (marker: number) => good.filter((part) => part[1] !== marker);
  const scan = of(0xda);
  /** The good file with one byte of a segment changed. */
  const changed = (marker: number, at: number, value: number) =>
    jpegOf(...good.map((part) => (part[1] === marker ? Buffer.from(part.with(at, value)) : part)));

  it('passes over what is not pixels, and over bytes that fill up', async () => {
    const comment = segment(0xfe, 1, 2, 3);
    const application = segment(0xe1, 0xff, 0xd8, 0xff, 0xc0);
    const padded = Buffer.concat([Buffer.of(0xff, 0xff), of(0xdb)]);
    const rest = without(0xdb);
    const plain = await read(jpegOf(...good), 4, 4);
    expect(await read(jpegOf(comment, application, padded, ...rest), 4, 4)).toEqual(plain);
  });

  it.each([
    ['with a second frame', jpegOf(of(0xc0), ...good), 'a second frame'],
    ['without a scan', jpegOf(...without(0xda)), 'no scan of pixels'],
    ['with a scan before the frame', jpegOf(scan, ...good), 'Invalid JPEG file structure: SOS before SOF'],
    ['without an end', jpegOf(...good).subarray(0, -2), 'the pixels do not end'],
    ['with bytes between segments', jpegOf(good[0]!, Buffer.of(1, 2)), 'no marker at byte 20'],
    ['cut in a segment', jpegOf(...good).subarray(0, 30), 'the segment at byte 20 does not end'],
    [
      'with a segment of no length',
      jpegOf(Buffer.of(0xff, 0xfe, 0, 0)),
      'the segment at byte 2 does not end',
    ],
    ['of arithmetic coding', jpegOf(segment(0xc9, 8, 0, 1, 0, 1, 0)), 'segment 0xffc9 is not supported'],
    [
      'with a frame cut short',
      jpegOf(segment(0xc0, 8, 0, 1, 0, 1, 3, 1, 0x11, 0)),
      'a frame of another length',
    ],
    ['of 12 bits', changed(0xc0, 4, 12), 'samples of 12 bits'],
    ['of two components', jpegOf(segment(0xc0, 8, 0, 1, 0, 1, 2, 1, 17, 0, 2, 17, 0)), '2 components'],
    ['of no pixels', changed(0xc0, 6, 0), '16 x 0 pixels'],
    ['with sampling factors of 5', changed(0xc0, 11, 0x51), 'sampling factors other than 1 to 4'],
    ['with two components of one number', changed(0xc0, 13, 1), 'Invalid component ID 2 in SOS'],
    ['with a scan of an unknown component', changed(0xda, 5, 9), 'Invalid component ID 9 in SOS'],
    ['with a scan cut short', changed(0xda, 4, 1), 'Bogus marker length'],
    [
      'with coefficients that are not there',
      changed(0xda, 12, 64),
      'Invalid SOS parameters for sequential JPEG',
    ],
    [
      'with a restart interval of three bytes',
      jpegOf(segment(0xdd, 0, 1, 2), ...good),
      'Bogus marker length',
    ],
    ['with a Huffman table cut short', jpegOf(segment(0xc4, 0, 9), ...good), 'Bogus marker length'],
    ['with a quantisation table cut short', jpegOf(segment(0xdb, 0, 9), ...good), 'Bogus marker length'],
    ['with scans without number', jpegOf(...good, ...new Array(100).fill(scan)), 'more than 100 scans'],
  ])('refuses one %s', async (_, bytes, found) => {
    const error = await failure('format', () => read(bytes, 4, 4));
    expect(error.message).toContain(`is damaged JPEG (${found}); a whole image is expected.`);
  });

  it('reads one without Huffman tables, which are the usual ones then', async () => {
    // No difference, of code 00, and the end of the block, of code 1010.
    const pixels = Buffer.concat([segment(0xda, 1, 1, 0, 0, 63, 0), Buffer.of(0b00101011)]);
    const bytes = jpegOf(of(0xdb), segment(0xc0, 8, 0, 8, 0, 8, 1, 1, 0x11, 0), pixels);
    expect(await read(bytes, 2, 1)).toEqual([128, 128]);
  });

  it('refuses a frame of more blocks than the data have bits, before it decodes', async () => {
    const frame = Buffer.from(of(0xc0));
    frame.writeUInt16BE(5000, 5);
    frame.writeUInt16BE(5000, 7);
    const bytes = jpegOf(...good.map((part) => (part[1] === 0xc0 ? frame : part)));
    const before = process.memoryUsage().arrayBuffers;
    const error = await failure('format', () => read(bytes, 4, 4));
    expect(error.message).toMatch(/\(\d+ bytes of pixels for 1171875 blocks\)/);
    // The decoder would take 300 MB for the blocks.
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 24);
  });

  it('refuses absurd dimensions before it decodes', async () => {
    const bytes = Buffer.from(encoded(9, 9, 9));
    const frame = bytes.indexOf(Buffer.from('ffc0', 'hex'));
    bytes.writeUInt16BE(65535, frame + 5);
    bytes.writeUInt16BE(65535, frame + 7);
    const error = await failure('range', () => read(bytes, 4, 4));
    expect(error.message).toContain('at most 120 million pixels are expected');
  });
});

describe('a file that is not an image', () => {
  it('is named when it is missing or a folder', async () => {
    const folder = await temporaryFolder();
    const gone = await failure('not-found', () => readImage(join(folder, 'gone.png'), 28, 28));
    expect(gone.message).toBe(`${folder}/gone.png does not exist; a file is expected there.`);
    await mkdir(join(folder, 'folder.png'));
    await failure('unreadable', () => readImage(join(folder, 'folder.png'), 28, 28));
  });

  it.each([
    ['text', Buffer.from('GIF89a......'), '4749463839612e2e'],
    ['nothing', Buffer.alloc(0), 'nothing'],
  ])('is refused by its first bytes: %s', async (_, bytes, found) => {
    const error = await failure('format', () => read(bytes, 28, 28));
    expect(error.message).toContain(
      `is neither PNG nor JPEG (its first bytes are ${found}); one of the two is expected.`,
    );
  });
});

describe('a PNG that cannot be read', () => {
  const good = png(header(2, 1, 8, 0), data(0, 3, 4));

  it.each([
    ['cut in its data', good.subarray(0, 50), 'it ends inside the chunk after IHDR'],
    ['cut after its signature', good.subarray(0, 8), 'it ends inside the chunk after the signature'],
    ['without an end', good.subarray(0, -12), 'it ends inside the chunk after IDAT'],
    ['without a header', png(data(0, 3, 4)), 'chunk IDAT comes before the header'],
    ['with two headers', png(header(2, 1, 8, 0), header(9, 9, 8, 0)), 'chunk IHDR comes twice'],
    ['with a short header', png(chunk('IHDR', Buffer.alloc(8))), 'a header of 8 bytes, 13 expected'],
    ['of no pixels', png(header(0, 1, 8, 0), data()), '0 x 1 pixels'],
    ['of colours with 4 bits', png(header(1, 1, 4, 2), data(0, 0)), 'colour type 2 with 4 bits'],
    ['of an unknown colour type', png(header(1, 1, 8, 5), data(0, 0)), 'colour type 5 with 8 bits'],
    ['interlaced in another way', png(header(1, 1, 4, 0, 2), data(0, 0)), 'the unknown methods 0, 0, 2'],
    ['with a pixel missing', png(header(2, 1, 8, 0), data(0, 3)), '2 bytes of pixels, 3 expected'],
    ['with a pixel too many', png(header(2, 1, 8, 0), data(0, 3, 4, 5)), ''],
    ['with data that do not inflate', png(header(2, 1, 8, 0), chunk('IDAT', Buffer.alloc(9))), ''],
    ['with an unknown filter', png(header(2, 1, 8, 0), data(9, 3, 4)), 'the unknown filter 9'],
    [
      'with a pixel outside the palette',
      png(header(1, 1, 8, 3), chunk('PLTE', Buffer.alloc(3)), data(0, 1)),
      'a pixel outside the palette',
    ],
    ['without its palette', png(header(1, 1, 8, 3), data(0, 0)), 'a pixel outside the palette'],
    [
      'with a palette of more than 256 colours',
      png(header(1, 1, 8, 3), chunk('PLTE', Buffer.alloc(771)), data(0, 1)),
      'a palette of 771 bytes',
    ],
    [
      'with half a colour',
      png(header(1, 1, 8, 3), chunk('PLTE', Buffer.alloc(4)), data(0, 1)),
      'a palette of 4 bytes',
    ],
    [
      'with two palettes',
      png(header(1, 1, 8, 3), chunk('PLTE', Buffer.alloc(3)), chunk('PLTE', Buffer.alloc(3)), data(0, 0)),
      'chunk PLTE comes twice',
    ],
    [
      'with two transparent colours',
      png(header(1, 1, 8, 0), chunk('tRNS', Buffer.alloc(2)), chunk('tRNS', Buffer.alloc(2)), data(0, 0)),
      'chunk tRNS comes twice',
    ],
    [
      'with chunks without number',
      png(header(1, 1, 8, 0), ...new Array(65_536).fill(chunk('tEXt', Buffer.alloc(0)))),
      'more than 65536 chunks',
    ],
    [
      'with control characters for a name',
      Buffer.concat([SIGNATURE, chunk('\x1b[2J', Buffer.alloc(0))]),
      'chunk \\u001b[2J comes before the header',
    ],
    ['with a wrong CRC', Buffer.concat([good.subarray(0, -16), Buffer.alloc(4), good.subarray(-12)]), 'CRC'],
  ])('%s', async (_, bytes, found) => {
    const error = await failure('format', () => read(bytes, 2, 1));
    expect(error.message).toMatch(/image is damaged PNG \(.+\); a whole image is expected\.$/);
    expect(error.message).toContain(found);
  });

  it('of absurd dimensions, before it is inflated', async () => {
    const bytes = png(header(2 ** 31 - 1, 2 ** 31 - 1, 8, 0), chunk('IDAT', Buffer.alloc(4)));
    const error = await failure('range', () => read(bytes, 2, 1));
    expect(error.found).toBe('2147483647 x 2147483647');
  });

  it('of a side that is absurd, before it is inflated', async () => {
    const bytes = png(header(1, 65_536, 8, 0), lines(2 * 65_536));
    const error = await failure('range', () => read(bytes, 2, 1));
    expect(error.message).toContain('(1 x 65536); at most 65535 pixels a side are expected');
  });

  it('whose data inflate to more than its header says', async () => {
    const bytes = png(header(2, 1, 8, 0), chunk('IDAT', deflateSync(Buffer.alloc(2 ** 24))));
    // One filter byte and two pixels.
    expect((await failure('format', () => read(bytes, 2, 1))).message).toContain('larger than 3 bytes');
  });
});
