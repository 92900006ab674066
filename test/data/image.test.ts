import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32, deflateSync } from 'node:zlib';
import { encode } from 'fast-png';
import jpeg from 'jpeg-js';
import { describe, expect, it } from 'vitest';
import { readImage } from '../../dist/data/image.js';
import { failure } from '../support/errors.js';
import { temporaryFolder } from '../support/folder.js';

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
  });

  it('skips what is not pixels, even when it is damaged', async () => {
    const profile = chunk('iCCP', Buffer.from('name without an end'));
    expect(await read(png(header(2, 1, 8, 0), profile, data(0, 3, 4)), 2, 1)).toEqual([3, 4]);
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

  it('keeps rows and columns apart', async () => {
    const pixels = Array.from({ length: 6 * 4 }, (_, index) => 10 * Math.floor(index / 6) + (index % 6));
    // Means of 2 x 2 blocks: the mean row (0.5, 2.5) times ten, and the mean column (0.5, 2.5, 4.5).
    expect(await read(grey(6, 4, ...pixels), 3, 2)).toEqual([6, 8, 10, 26, 28, 30]);
  });
});

describe('JPEG', () => {
  const encoded = (red: number, green: number, blue: number) => {
    const rgba = Buffer.from(Array.from({ length: 16 * 16 }, () => [red, green, blue, 255]).flat());
    return jpeg.encode({ width: 16, height: 16, data: rgba }, 100).data;
  };

  it.each([
    [[255, 255, 255], 255],
    [[0, 0, 0], 0],
    [[255, 0, 0], 76],
    [[0, 255, 0], 150],
  ])('decodes %j as %i', async ([red, green, blue], expected) => {
    const pixels = await read(encoded(red!, green!, blue!), 4, 4);
    // Lossy: two steps either side.
    for (const pixel of pixels) expect(Math.abs(pixel - expected)).toBeLessThanOrEqual(2);
    expect(pixels.length).toBe(16);
  });

  it.each([10, 100, 400])('refuses one truncated to %i bytes', async (length) => {
    const error = await failure('format', () => read(encoded(9, 9, 9).subarray(0, length), 4, 4));
    expect(error.message).toMatch(/image is damaged JPEG \(.+\); a whole image is expected\.$/);
  });

  it('refuses absurd dimensions before it decodes', async () => {
    const bytes = Buffer.from(encoded(9, 9, 9));
    const frame = bytes.indexOf(Buffer.from('ffc0', 'hex'));
    bytes.writeUInt16BE(65535, frame + 5);
    bytes.writeUInt16BE(65535, frame + 7);
    const error = await failure('range', () => read(bytes, 4, 4));
    expect(error.message).toContain('at most 25 million pixels are expected');
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
    ['interlaced with 4 bits', png(header(1, 1, 4, 0, 1), data(0, 0)), 'samples of 4 bits are not supported'],
    ['with a pixel missing', png(header(2, 1, 8, 0), data(0, 3)), '2 bytes of pixels, 3 expected'],
    ['with a pixel too many', png(header(2, 1, 8, 0), data(0, 3, 4, 5)), ''],
    ['with data that do not inflate', png(header(2, 1, 8, 0), chunk('IDAT', Buffer.alloc(9))), ''],
    ['with an unknown filter', png(header(2, 1, 8, 0), data(9, 3, 4)), ''],
    [
      'with a pixel outside the palette',
      png(header(1, 1, 8, 3), chunk('PLTE', Buffer.alloc(3)), data(0, 1)),
      'a pixel outside the palette',
    ],
    ['without its palette', png(header(1, 1, 8, 3), data(0, 0)), 'a pixel outside the palette'],
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

  it('whose data inflate to more than its header says', async () => {
    const bytes = png(header(2, 1, 8, 0), chunk('IDAT', deflateSync(Buffer.alloc(2 ** 24))));
    // One filter byte and two pixels.
    expect((await failure('format', () => read(bytes, 2, 1))).message).toContain('larger than 3 bytes');
  });
});
