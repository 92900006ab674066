import { describe, expect, it } from 'vitest';
import { decodeImage } from '../../dist/node/image.js';
import { decodeJpeg } from '../../dist/node/jpeg.js';
import { type FlatJpeg, flatJpeg } from '../support/jpeg.js';

/** The grey that is read of a JPEG of one colour. */
function grey(samples: number[], change: Partial<FlatJpeg> = {}): number {
  const read = decodeImage(flatJpeg({ samples: samples.map((value) => () => value), ...change }), 'x', 2, 2);
  expect(new Set(read).size).toBe(1);
  return read[0]!;
}

const RGB = [82, 71, 66];

describe('the colours of a JPEG', () => {
  // As red, green and blue these are 0.299 * 200 + 0.587 * 100 + 0.114 * 50 = 124.2.
  const colour = [200, 100, 50];
  // As luma and chroma they are 200 + 1.402 * (50 - 128) = 91 of red, 200 - 0.344 * (100 - 128) - 0.714 * (50 - 128) =
  // 265, cut to 255, of green and 200 + 1.772 * (100 - 128) = 150 of blue: 27.1 + 149.7 + 17.1 = 193.9.
  it.each<[string, Partial<FlatJpeg>, number]>([
    ['are red, green and blue by Adobe’s transform 0', { adobe: 0 }, 124],
    ['are red, green and blue by components of these letters', { ids: RGB }, 124],
    ['are luma and chroma by Adobe’s transform 1', { adobe: 1 }, 194],
    ['are luma and chroma by JFIF, whatever Adobe says', { jfif: true, adobe: 0 }, 194],
    ['are luma and chroma by JFIF, whatever the components are called', { jfif: true, ids: RGB }, 194],
    ['are luma and chroma where nothing is said', {}, 194],
  ])('%s', (_, change, expected) => {
    expect(grey(colour, change)).toBe(expected);
  });

  // Inks as what they leave: 0.299 * 200 + 0.587 * 100 + 0.114 * 50 = 124.2, of which the key leaves 204 / 255.
  it.each([
    ['with Adobe’s marker', { adobe: 0 }],
    ['without it', {}],
    ['without it, with JFIF’s', { jfif: true }],
  ])('are four inks %s', (_, change) => {
    expect(grey([200, 100, 50, 204], change)).toBe(99);
    expect(grey([255, 255, 255, 255], change)).toBe(255);
    expect(grey([255, 255, 255, 0], change)).toBe(0);
  });

  it('are luma, chroma and key by Adobe’s transform 2', () => {
    // Luma and chroma say how much ink there is: 255 - 200 of each is left, of which the key leaves 204 / 255.
    expect(grey([200, 128, 128, 204], { adobe: 2 })).toBe(44);
  });
});

describe('a JPEG of more than eight megapixels', () => {
  const any = () => {};
  const quarters = (column: number, row: number) =>
    [
      [10, 90],
      [170, 250],
    ][row < 384 ? 0 : 1]![column < 512 ? 0 : 1]!;
  const photograph = flatJpeg({ width: 8192, height: 6144, samples: [quarters] });

  it('is decoded smaller, but not below the size that is asked for', () => {
    const sizeFor = (width: number, height: number) => {
      const read = decodeJpeg(photograph, any, { width, height });
      return [read.width, read.height, read.pixels.length];
    };
    expect(sizeFor(28, 28)).toEqual([3072, 2304, 3072 * 2304]);
    expect(sizeFor(28, 3000)).toEqual([4096, 3072, 4096 * 3072]);
  });

  it('has the same greys', () => {
    expect([...decodeImage(photograph, 'x', 2, 2)]).toEqual([10, 90, 170, 250]);
    const wide = decodeImage(photograph, 'x', 1024, 768);
    expect([wide[0], wide[511], wide[512], wide[383 * 1024], wide[384 * 1024]]).toEqual([
      10, 10, 90, 10, 170,
    ]);
  });

  it('is refused above 120, before it is decoded', () => {
    const frame = photograph.indexOf(Buffer.from('ffc0', 'hex'));
    const larger = Buffer.from(photograph);
    larger.writeUInt16BE(15_000, frame + 5);
    expect(() => decodeImage(larger, 'x', 2, 2)).toThrow(
      'x is too large an image (8192 x 15000); at most 120 million pixels are expected.',
    );
  });
});

it('bytes behind the pixels, as cameras leave them, do no harm', () => {
  const good = flatJpeg({ samples: [() => 77] });
  const longer = Buffer.concat([good.subarray(0, -2), Buffer.from('camera'), good.subarray(-2)]);
  expect([...decodeImage(longer, 'x', 1, 1)]).toEqual([77]);
});

it('a scan that ends before its pixels do is refused', () => {
  const whole = flatJpeg({ width: 80, height: 80, samples: [(column) => 20 * column] });
  const start = whole.indexOf(Buffer.from('ffda', 'hex')) + 10;
  const cut = Buffer.concat([whole.subarray(0, start + 20), whole.subarray(-2)]);
  expect(() => decodeImage(cut, 'x', 2, 2)).toThrow(
    'x is damaged JPEG (Corrupt JPEG data: premature end of data segment); a whole image is expected.',
  );
});
