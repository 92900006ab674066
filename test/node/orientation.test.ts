import { describe, expect, it, onTestFinished } from 'vitest';
import { decodeImage } from '../../dist/node/image.js';
import { startChromium } from '../support/chromium.js';
import { flatJpeg } from '../support/jpeg.js';

/** Six squares of 8 x 8 pixels: three columns, two rows. */
const STORED = ['abc', 'def'];
const GREY: Record<string, number> = { a: 0, b: 50, c: 100, d: 150, e: 200, f: 250 };

/** The stored squares as they are seen, by orientation. */
const SEEN: [number, string[]][] = [
  [1, ['abc', 'def']],
  [2, ['cba', 'fed']],
  [3, ['fed', 'cba']],
  [4, ['def', 'abc']],
  [5, ['ad', 'be', 'cf']],
  [6, ['da', 'eb', 'fc']],
  [7, ['fc', 'eb', 'da']],
  [8, ['cf', 'be', 'ad']],
];

const PLAIN = flatJpeg({
  width: 24,
  height: 16,
  samples: [(column, row) => GREY[STORED[row]![column]!]!],
});

/** An EXIF segment whose first directory has two entries, the second of which is the orientation. */
function exif(orientation: number, little = false): Buffer {
  const tiff = Buffer.alloc(8 + 2 + 2 * 12 + 4);
  const u16 = (value: number, at: number) =>
    little ? tiff.writeUInt16LE(value, at) : tiff.writeUInt16BE(value, at);
  const u32 = (value: number, at: number) =>
    little ? tiff.writeUInt32LE(value, at) : tiff.writeUInt32BE(value, at);
  tiff.write(little ? 'II' : 'MM', 0, 'latin1');
  u16(42, 2);
  u32(8, 4);
  u16(2, 8);
  // The width of the image, a number of four bytes.
  for (const [at, tag, type] of [
    [10, 0x0100, 4],
    [22, 0x0112, 3],
  ] as const) {
    u16(tag, at);
    u16(type, at + 2);
    u32(1, at + 4);
  }
  u32(24, 18);
  u16(orientation, 30);
  return Buffer.concat([Buffer.from('Exif\0\0', 'latin1'), tiff]);
}

/** The plain JPEG with application segments of the given contents. */
function withSegments(...contents: Buffer[]): Buffer {
  const segments = contents.map((content) =>
    Buffer.concat([Buffer.of(0xff, 0xe1, 0, content.length + 2), content]),
  );
  return Buffer.concat([PLAIN.subarray(0, 2), ...segments, PLAIN.subarray(2)]);
}

/** The squares that were read, by their greys. */
function seen(pixels: ArrayLike<number>, width: number): string[] {
  const letters = Array.from(pixels, (pixel) => {
    return Object.keys(GREY).find((letter) => Math.abs(GREY[letter]! - pixel) <= 4) ?? '?';
  }).join('');
  return letters.match(new RegExp(`.{${width}}`, 'g'))!;
}

describe('a JPEG’s orientation', () => {
  it.each(SEEN)('%i is applied', (orientation, squares) => {
    const [width, height] = [squares[0]!.length, squares.length];
    for (const little of [false, true]) {
      const bytes = withSegments(Buffer.from('http://ns.adobe.com/xap/1.0/\0'), exif(orientation, little));
      expect(seen(decodeImage(bytes, 'x', width, height), width)).toEqual(squares);
    }
    // Each square of the upright image is two by three pixels.
    const large = seen(decodeImage(withSegments(exif(orientation)), 'x', 2 * width, 3 * height), 2 * width);
    expect(large).toEqual(
      squares.flatMap((row) => new Array(3).fill([...row].map((letter) => letter + letter).join(''))),
    );
  });

  it('is the one that a browser applies', async () => {
    const browser = await startChromium();
    onTestFinished(() => browser.close());
    const page = await browser.newPage();
    for (const [orientation, squares] of SEEN) {
      const file = withSegments(exif(orientation)).toString('base64');
      const { width, grey } = await page.evaluate(async (base64) => {
        const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
        const bitmap = await createImageBitmap(new Blob([bytes], { type: 'image/jpeg' }));
        const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext('2d')!;
        context.drawImage(bitmap, 0, 0);
        const found: number[] = [];
        for (let y = 4; y < bitmap.height; y += 8) {
          for (let x = 4; x < bitmap.width; x += 8) found.push(context.getImageData(x, y, 1, 1).data[0]!);
        }
        return { width: bitmap.width / 8, grey: found };
      }, file);
      expect([orientation, seen(grey, width)]).toEqual([orientation, squares]);
    }
  });

  const far = Buffer.from(exif(6));
  far.writeUInt32BE(0xffff_fff0, 6 + 4);
  const long = Buffer.from(exif(6));
  long.writeUInt16BE(0xffff, 6 + 8);
  long.writeUInt16BE(0x0113, 6 + 22);
  const text = Buffer.from(exif(6));
  text.writeUInt16BE(2, 6 + 24);
  it.each([
    ['0', exif(0)],
    ['9', exif(9)],
    ['of another type', text],
    ['in a directory beyond the segment', far],
    ['among entries beyond the segment', long],
    ['cut short', exif(6).subarray(0, 6 + 28)],
    ['without a header', exif(6).subarray(0, 6)],
    ['of an unknown order of bytes', Buffer.from(exif(6).with(6, 0x4e))],
  ])('is left out where it is %s', (_, segment) => {
    expect(seen(decodeImage(withSegments(segment), 'x', 3, 2), 3)).toEqual(STORED);
  });

  it('is the first that is stated', () => {
    expect(seen(decodeImage(withSegments(exif(3), exif(6)), 'x', 3, 2), 3)).toEqual(['fed', 'cba']);
  });
});
