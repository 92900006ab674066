import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TreadleError } from '../../dist/bindings/host.js';
import { gunzip, gunzipIdx, readIdxImages, readIdxLabels } from '../../dist/node/idx.js';
import { failure } from '../support/errors.js';
import { idxBytes } from '../support/idx.js';

const pixels = Uint8Array.from({ length: 2 * 3 * 4 }, (_, index) => index);
const images = idxBytes([2, 3, 4], pixels);
const labels = idxBytes([3], Uint8Array.of(7, 0, 255));

describe('readIdxImages', () => {
  it('reads count, height, width and pixels', () => {
    expect(readIdxImages(images, 'i')).toEqual({
      images: Buffer.from(pixels),
      count: 2,
      height: 3,
      width: 4,
    });
  });

  it('reads from the middle of a larger buffer', () => {
    const shifted = Buffer.concat([Buffer.alloc(5, 9), images]).subarray(5);
    expect([...readIdxImages(shifted, 'i').images]).toEqual([...pixels]);
  });

  it.each([
    ['a label file', labels, 'f is a label file (magic number 0x00000801); expected: an image file'],
    [
      'another magic number',
      Buffer.from('\x89PNG....etc.....', 'latin1'),
      'f begins with 0x89504e47; expected: an image',
    ],
    ['an element type that is none', Buffer.from('00000a03', 'hex'), 'f begins with 0x00000a03'],
    [
      'other dimensions',
      Buffer.from('00000804', 'hex'),
      'f has unsigned bytes in 4 dimensions; expected: an image',
    ],
    [
      'other dimensions of floats',
      Buffer.from('00000d01', 'hex'),
      'f has 32-bit floats in 1 dimension; expected',
    ],
    [
      'floats that are cut short',
      Buffer.from('00000d0300000001000000010000000100', 'hex'),
      '1 x 1 in 20 bytes',
    ],
    ['nothing', Buffer.alloc(0), 'f has 0 bytes; expected: a header of 16 bytes'],
    ['one byte', Buffer.alloc(1), 'f has 1 byte; expected: a header of 16 bytes'],
    ['half a header', images.subarray(0, 10), 'f has 10 bytes; expected: a header of 16 bytes'],
    ['a missing byte', images.subarray(0, 39), 'f has 39 bytes; expected: 2 images of 3 x 4 in 40 bytes'],
    [
      'a byte too many',
      Buffer.concat([images, Buffer.alloc(1)]),
      'f has 41 bytes; expected: 2 images of 3 x 4 in 40',
    ],
    [
      'no images',
      idxBytes([0, 3, 4], new Uint8Array()),
      'f says it holds 0 images of 3 x 4; expected: at least one',
    ],
    [
      'no rows',
      idxBytes([2, 0, 4], new Uint8Array()),
      'f says it holds 2 images of 0 x 4; expected: at least one',
    ],
    [
      'no columns',
      idxBytes([2, 3, 0], new Uint8Array()),
      'f says it holds 2 images of 3 x 0; expected: at least one',
    ],
    [
      'sizes whose product wraps around 2^32',
      idxBytes([2 ** 31, 2, 1], new Uint8Array()),
      'in 4,294,967,312 bytes',
    ],
  ])('refuses %s', async (_, bytes, message) => {
    const error = await failure('format', () => readIdxImages(bytes, 'f'));
    expect(error.message).toContain(message);
    expect(error.subject).toBe('f');
  });

  it.each([
    [[1, 2 ** 16, 2 ** 16], '65536 x 65536'],
    [[2 ** 32 - 1, 2 ** 32 - 1, 2 ** 32 - 1], '4294967295 x 4294967295'],
    [[1, 1, 2 ** 20 + 1], '1 x 1048577'],
  ])('refuses the absurd sizes %j', async (sizes, found) => {
    const error = await failure('range', () => readIdxImages(idxBytes(sizes, new Uint8Array()), 'f'));
    expect(error.found).toBe(found);
    expect(error.message).toContain('at most 1048576 pixels an image are expected');
  });
});

describe('readIdxLabels', () => {
  it('reads count and labels', () => {
    expect(readIdxLabels(labels, 'l')).toEqual({ labels: Buffer.of(7, 0, 255), count: 3 });
  });

  it.each([
    ['an image file', images, 'f is an image file (magic number 0x00000803); expected: a label file'],
    ['no labels', idxBytes([0], new Uint8Array()), 'f says it holds 0 labels; expected: at least one'],
    ['a missing label', labels.subarray(0, 10), 'f has 10 bytes; expected: 3 labels in 11 bytes'],
    ['a label too many', Buffer.concat([labels, labels]), 'f has 22 bytes; expected: 3 labels in 11 bytes'],
    ['half a header', labels.subarray(0, 6), 'f has 6 bytes; expected: a header of 8 bytes'],
  ])('refuses %s', async (_, bytes, message) => {
    expect((await failure('format', () => readIdxLabels(bytes, 'f'))).message).toContain(message);
  });
});

describe('numbers of other types', () => {
  const file = (type: number, bytes: number, write: (buffer: Buffer, at: number, value: number) => void) => {
    return (...values: number[]) => {
      const content = Buffer.alloc(8 + bytes * values.length);
      content.writeUInt32BE(type * 256 + 1, 0);
      content.writeUInt32BE(values.length, 4);
      for (const [index, value] of values.entries()) write(content, 8 + bytes * index, value);
      return content;
    };
  };
  const types = [
    ['signed bytes', file(9, 1, (buffer, at, value) => buffer.writeInt8(value, at)), -1, 127],
    ['16-bit integers', file(11, 2, (buffer, at, value) => buffer.writeInt16BE(value, at)), 256, 255],
    ['32-bit integers', file(12, 4, (buffer, at, value) => buffer.writeInt32BE(value, at)), -256, 255],
    ['32-bit floats', file(13, 4, (buffer, at, value) => buffer.writeFloatBE(value, at)), 0.5, 255],
    ['64-bit floats', file(14, 8, (buffer, at, value) => buffer.writeDoubleBE(value, at)), Number.NaN, 255],
  ] as const;

  it.each(types)('are taken where they are bytes: %s', (_, made, __, most) => {
    const bytes = made(0, 7, most);
    expect(readIdxLabels(bytes, 'f')).toEqual({ labels: Uint8Array.of(0, 7, most), count: 3 });
    expect(gunzipIdx(gzipSync(bytes), 'f', 'labels')).toEqual(bytes);
  });

  it.each(types)('are refused by name where one is none: %s', async (words, made, wrong) => {
    const error = await failure('format', () => readIdxLabels(made(1, wrong, 3), 'f'));
    expect(error.message).toBe(
      `f has ${words}, and ${wrong} as element 1; whole numbers from 0 to 255 are expected (in numpy pixels from 0 to 1 are made so by (255 * x).round().astype('uint8')).`,
    );
  });
});

describe('gunzip', () => {
  const content = Buffer.alloc(1000, 7);
  const zipped = gzipSync(content);
  const changed = (position: number) => {
    const copy = Buffer.from(zipped);
    copy[position < 0 ? copy.length + position : position]! ^= 0xff;
    return copy;
  };

  it('inflates gzip, also of several members, and leaves anything else alone', () => {
    expect(gunzip(zipped, 'f', 1000)).toEqual(content);
    expect(gunzip(Buffer.concat([zipped, zipped]), 'f', 2000)).toEqual(Buffer.alloc(2000, 7));
    expect(gunzip(images, 'f', 1)).toBe(images);
  });

  it('stops at the limit', async () => {
    const error = await failure('range', () => gunzip(zipped, 'f', 999));
    expect(error.message).toBe('f inflates to more than 999 bytes; at most that many are expected.');
    const bomb = gzipSync(Buffer.alloc(2 ** 26));
    const before = process.memoryUsage().rss;
    await failure('range', () => gunzip(bomb, 'f', 2 ** 16));
    expect(process.memoryUsage().rss - before).toBeLessThan(2 ** 25);
  });

  it.each([
    ['truncated', zipped.subarray(0, zipped.length - 3)],
    ['cut after the magic number', zipped.subarray(0, 2)],
    ['of another method', changed(2)],
    ['with a changed byte', changed(14)],
    ['with a wrong CRC', changed(-8)],
    ['with a wrong length', changed(-1)],
    ['followed by text', Buffer.concat([zipped, Buffer.from('text')])],
    ['followed by zeros', Buffer.concat([zipped, Buffer.alloc(512)])],
    ['followed by half a member', Buffer.concat([zipped, zipped.subarray(0, 8)])],
  ])('refuses gzip %s', async (_, bytes) => {
    const error = await failure('format', () => gunzip(bytes, 'f', 5000));
    expect(error.message).toMatch(/^f is damaged gzip \(.+\); a whole gzip file is expected\.$/);
  });

  it('says how much follows', async () => {
    const padded = Buffer.concat([zipped, Buffer.alloc(512)]);
    expect((await failure('format', () => gunzip(padded, 'f', 5000))).found).toBe('512 bytes after its end');
  });
});

describe('gunzipIdx', () => {
  it('inflates images and labels, and leaves anything else alone', () => {
    expect(gunzipIdx(gzipSync(images), 'f', 'images')).toEqual(images);
    expect(gunzipIdx(gzipSync(labels), 'f', 'labels')).toEqual(labels);
    expect(gunzipIdx(images, 'f', 'images')).toBe(images);
    const many = idxBytes(
      [2000, 28, 28],
      new Uint8Array(2000 * 784).map((_, index) => index),
    );
    expect(gunzipIdx(gzipSync(many), 'f', 'images')).toEqual(many);
  });

  it('stops at what the header says', async () => {
    const bomb = gzipSync(Buffer.concat([images, Buffer.alloc(2 ** 27)]));
    const before = process.memoryUsage().rss;
    const error = await failure('range', () => gunzipIdx(bomb, 'f', 'images'));
    expect(error.message).toBe('f inflates to more than 40 bytes; at most that many are expected.');
    expect(process.memoryUsage().rss - before).toBeLessThan(2 ** 25);
  });

  it('refuses a header that says more than is ever read', async () => {
    const huge = gzipSync(idxBytes([2 ** 31, 28, 28], new Uint8Array(100)));
    const error = await failure('range', () => gunzipIdx(huge, 'f', 'images'));
    expect(error.message).toBe(
      'f says it inflates to 1,683,627,180,048 bytes; at most 1,073,741,824 bytes are expected.',
    );
  });

  it.each([
    [
      'a label file',
      gzipSync(labels),
      'f is a label file (magic number 0x00000801); expected: an image file',
    ],
    ['too little', gzipSync(Buffer.alloc(3)), 'f has 3 bytes; expected: a header of 16 bytes'],
    ['less than it says', gzipSync(images.subarray(0, 30)), ''],
    ['damaged from the start', Buffer.from('1f8b0800000000000003ffffffff', 'hex'), 'f is damaged gzip'],
    [
      'a name that does not end',
      Buffer.concat([Buffer.from('1f8b0808000000000003', 'hex'), Buffer.alloc(9000, 'a')]),
      'f has 0 bytes; expected: a header of 16 bytes',
    ],
  ])('refuses %s', async (_, bytes, message) => {
    const error = await failure('format', () => readIdxImages(gunzipIdx(bytes, 'f', 'images'), 'f'));
    expect(error.message).toContain(message);
  });
});

it('either reads any bytes or throws a TreadleError', () => {
  const anyBytes = fc.oneof(
    fc.uint8Array({ maxLength: 64 }),
    fc.uint8Array({ maxLength: 40 }).map((tail) => Buffer.concat([Buffer.from('00000803', 'hex'), tail])),
    fc.uint8Array({ maxLength: 40 }).map((tail) => Buffer.concat([Buffer.from('1f8b08', 'hex'), tail])),
  );
  fc.assert(
    fc.property(anyBytes, (bytes) => {
      try {
        const read = readIdxImages(gunzip(bytes, 'f', 4096), 'f');
        expect(read.images.length).toBe(read.count * read.height * read.width);
      } catch (error) {
        expect(error).toBeInstanceOf(TreadleError);
      }
    }),
    { numRuns: 2000 },
  );
});
