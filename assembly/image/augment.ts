import { STREAM_AUGMENT, philox4 } from '../rng/philox';

// Augmentation of images: u8 rows of shape (height, width, channels) become u8 rows of the same shape. An output pixel
// (r, c), dx = c - cx and dy = r - cy away from the centre ((height - 1) / 2, (width - 1) / 2), takes the value of the
// source at (cy + v + shift, cx + u + shift), interpolated bilinearly, zero outside of the image:
//
//   u = zx cos(a) dx + (shear - zx sin(a)) dy      zx = exp(zoom + aspect)
//   v = zy sin(a) dx + zy cos(a) dy                zy = exp(zoom - aspect)
//
// and -u in place of u where the image is flipped. What is drawn is a function of (key, draw, sample) alone.

/** What is drawn from: shares of the images from 0 to 1, and ranges, each uniform from minus itself to itself. */
@unmanaged
export class Augmentation {
  height: i32;
  width: i32;
  channels: i32;
  /** Of the images that are flipped left to right. */
  flip: f32;
  /** Of the images that are moved. */
  share: f32;
  /** Radians. */
  rotation: f32;
  /** Logarithms of factors. */
  zoom: f32;
  aspect: f32;
  shear: f32;
  /** Pixels. */
  shift: f32;
}

/** Pixels of zero around a source: one before, and two behind, which a coordinate just outside reads. */
const BEFORE: i32 = 1;
const BEHIND: i32 = 2;

/** Bytes of the room that a thread needs for an image with its border, and for what is read past it. */
export function borderedBytes(height: i32, width: i32, channels: i32): i32 {
  return (height + BEFORE + BEHIND) * (width + BEFORE + BEHIND) * channels + 16;
}

/** A word as a number from 0 to below 1. */
// @ts-ignore: decorator
@inline
function uniform(words: usize, index: i32): f32 {
  return <f32>(load<u32>(words + (<usize>index << 2)) >>> 8) * <f32>(1.0 / 16777216);
}

/** A word as a number from -range to range. */
// @ts-ignore: decorator
@inline
function within(words: usize, index: i32, range: f32): f64 {
  return (2 * <f64>uniform(words, index) - 1) * <f64>range;
}

/** sin(x) for |x| <= pi / 4: Taylor's series up to 1e-15. */
function sinSmall(x: f64): f64 {
  const y = x * x;
  return x * (1 - (y / 6) * (1 - (y / 20) * (1 - (y / 42) * (1 - (y / 72) * (1 - (y / 110) * (1 - y / 156))))));
}

/** exp(x) for |x| <= 1: Taylor's series of x / 8, up to 1e-14, to the eighth power. */
function expSmall(x: f64): f64 {
  const y = x / 8;
  let sum: f64 = 1;
  for (let n = 12; n > 0; n--) sum = 1 + (y / <f64>n) * sum;
  sum *= sum;
  sum *= sum;
  return sum * sum;
}

/**
 * Rows [from, to) of a batch, augmented.
 *
 *   source, stride  u8 rows; `order` as in layout/rows
 *   draw            what tells this epoch's draws from another's
 *   augment         0: rows are copied as they are; 1: flips alone; 2: flips and moves
 *   out             u8 rows, one behind the other
 *   room            borderedBytes() of the calling thread's own, zeros at its first use
 *   words           64 bytes of its own
 */
export function augmentRows(
  how: Augmentation,
  source: usize,
  stride: usize,
  order: usize,
  draw: i32,
  key0: u32,
  key1: u32,
  augment: i32,
  out: usize,
  room: usize,
  words: usize,
  from: i32,
  to: i32,
): void {
  const bytes = <usize>(how.height * how.width * how.channels);
  for (let b = from; b < to; b++) {
    const sample = order ? load<u32>(order + (<usize>b << 2)) : <u32>b;
    const row = source + <usize>sample * stride;
    const target = out + <usize>b * bytes;
    if (augment == 0) {
      memory.copy(target, row, bytes);
      continue;
    }
    philox4(2 * sample, draw, 0, STREAM_AUGMENT << 16, key0, key1, words);
    const flipped = uniform(words, 1) < how.flip;
    if (augment > 1 && uniform(words, 0) < how.share) moveImage(how, row, target, flipped, room, words);
    else if (flipped) flipImage(how, row, target);
    else memory.copy(target, row, bytes);
  }
}

/** An image, left to right. */
function flipImage(how: Augmentation, source: usize, target: usize): void {
  const width = how.width;
  const channels = how.channels;
  for (let r = 0; r < how.height; r++) {
    for (let c = 0; c < width; c++) {
      const to = target + <usize>((r * width + c) * channels);
      const at = source + <usize>((r * width + width - 1 - c) * channels);
      for (let ch = 0; ch < channels; ch++) store<u8>(to + ch, load<u8>(at + ch));
    }
  }
}

/** An image, moved as the words say. */
function moveImage(how: Augmentation, source: usize, target: usize, flipped: bool, room: usize, words: usize): void {
  const quarter = within(words, 2, how.rotation) / 4;
  let sin = sinSmall(quarter);
  let cos = sqrt(1 - sin * sin);
  for (let time = 0; time < 2; time++) {
    const double = 2 * sin * cos;
    cos = 1 - 2 * sin * sin;
    sin = double;
  }
  const zoom = within(words, 3, how.zoom);
  const aspect = within(words, 4, how.aspect);
  const zx = expSmall(zoom + aspect);
  const zy = expSmall(zoom - aspect);
  const sign: f64 = flipped ? -1 : 1;
  const xx = sign * zx * cos;
  const xy = sign * (within(words, 5, how.shear) - zx * sin);
  const yx = zy * sin;
  const yy = zy * cos;
  const cx = 0.5 * <f64>(how.width - 1);
  const cy = 0.5 * <f64>(how.height - 1);
  // The source's coordinates of pixel (0, 0), in the image with its border.
  const x0 = cx + within(words, 6, how.shift) - xx * cx - xy * cy + <f64>BEFORE;
  const y0 = cy + within(words, 7, how.shift) - yx * cx - yy * cy + <f64>BEFORE;
  border(how, source, room);
  if (how.channels == 1) {
    interpolate(1, how, <f32>x0, <f32>y0, <f32>xx, <f32>xy, <f32>yx, <f32>yy, target, room);
  } else {
    interpolate(0, how, <f32>x0, <f32>y0, <f32>xx, <f32>xy, <f32>yx, <f32>yy, target, room);
  }
}

/** Copies an image into the middle of its border, which stays zero. */
function border(how: Augmentation, source: usize, room: usize): void {
  const bytes = <usize>(how.width * how.channels);
  const wide = <usize>((how.width + BEFORE + BEHIND) * how.channels);
  let to = room + wide * BEFORE + <usize>(BEFORE * how.channels);
  for (let r = 0; r < how.height; r++, source += bytes, to += wide) copyShort(to, source, bytes);
}

/** A few bytes: the engine's own copy takes longer to be called. */
// @ts-ignore: decorator
@inline
function copyShort(to: usize, from: usize, bytes: usize): void {
  let i: usize = 0;
  for (; i + 8 <= bytes; i += 8) store<u64>(to + i, load<u64>(from + i));
  for (; i < bytes; i++) store<u8>(to + i, load<u8>(from + i));
}

/** Four values a + (b - a) t. */
// @ts-ignore: decorator
@inline
function blend(a: v128, b: v128, t: v128): v128 {
  return f32x4.add(a, f32x4.mul(f32x4.sub(b, a), t));
}

/** The value of every pixel of the target; `single` is 1 for one channel. Four pixels of a row at a time. */
// @ts-ignore: decorator
@inline
function interpolate(
  single: i32,
  how: Augmentation,
  x0: f32,
  y0: f32,
  xx: f32,
  xy: f32,
  yx: f32,
  yy: f32,
  target: usize,
  room: usize,
): void {
  const height = how.height;
  const width = how.width;
  const channels = single ? 1 : how.channels;
  const wide = (width + BEFORE + BEHIND) * channels;
  const lanes = f32x4(0, 1, 2, 3);
  const zero = f32x4.splat(0);
  // From the border before the image to the one behind it: further out all is zero as well.
  const lastX = f32x4.splat(<f32>(width + BEFORE));
  const lastY = f32x4.splat(<f32>(height + BEFORE));
  for (let r = 0; r < height; r++) {
    const rowX = x0 + xy * <f32>r;
    const rowY = y0 + yy * <f32>r;
    for (let c = 0; c < width; c += 4) {
      const column = f32x4.add(f32x4.splat(<f32>c), lanes);
      let x = f32x4.add(f32x4.splat(rowX), f32x4.mul(f32x4.splat(xx), column));
      let y = f32x4.add(f32x4.splat(rowY), f32x4.mul(f32x4.splat(yx), column));
      x = f32x4.pmin(f32x4.pmax(x, zero), lastX);
      y = f32x4.pmin(f32x4.pmax(y, zero), lastY);
      const floorX = f32x4.floor(x);
      const floorY = f32x4.floor(y);
      const tx = f32x4.sub(x, floorX);
      const ty = f32x4.sub(y, floorY);
      // Whole numbers below 2^23, as the whole image has fewer bytes.
      const offset = rounded(
        f32x4.add(f32x4.mul(floorY, f32x4.splat(<f32>wide)), f32x4.mul(floorX, f32x4.splat(<f32>channels))),
      );
      const p0 = room + <usize>i32x4.extract_lane(offset, 0);
      const p1 = room + <usize>i32x4.extract_lane(offset, 1);
      const p2 = room + <usize>i32x4.extract_lane(offset, 2);
      const p3 = room + <usize>i32x4.extract_lane(offset, 3);
      const count = min(4, width - c);
      if (single) {
        // Neighbours in a row are neighbouring bytes: a pair of them, times 1 - tx and tx in 14 bits, is one operation.
        const right = rounded(f32x4.mul(tx, f32x4.splat(PAIR_ONE)));
        const left = i32x4.sub(i32x4.splat(<i32>PAIR_ONE), right);
        const weights = v128.or(left, i32x4.shl(right, 16));
        const top = f32x4.convert_i32x4_s(i32x4.dot_i16x8_s(pairs4(p0, p1, p2, p3), weights));
        const bottom = f32x4.convert_i32x4_s(
          i32x4.dot_i16x8_s(pairs4(p0 + wide, p1 + wide, p2 + wide, p3 + wide), weights),
        );
        const value = f32x4.mul(blend(top, bottom, ty), f32x4.splat(1 / PAIR_ONE));
        storeBytes(value, target + <usize>(r * width + c), 1, count);
        continue;
      }
      for (let ch: usize = 0; ch < <usize>channels; ch++) {
        const top = blend(
          f32x4.convert_i32x4_s(next4(p0, p1, p2, p3, ch)),
          f32x4.convert_i32x4_s(next4(p0, p1, p2, p3, <usize>channels + ch)),
          tx,
        );
        const below = <usize>wide + ch;
        const bottom = blend(
          f32x4.convert_i32x4_s(next4(p0, p1, p2, p3, below)),
          f32x4.convert_i32x4_s(next4(p0, p1, p2, p3, below + <usize>channels)),
          tx,
        );
        storeBytes(blend(top, bottom, ty), target + <usize>((r * width + c) * channels) + ch, channels, count);
      }
    }
  }
}

/** Numbers from 0 to below 2^23, rounded to the nearest whole ones: behind 2^23 an f32 has no fractions. */
// @ts-ignore: decorator
@inline
function rounded(x: v128): v128 {
  const one = f32x4.splat(8388608);
  return v128.xor(f32x4.add(x, one), one);
}

/** 1 in the weights of a pair of bytes: the largest power of two of an i16. */
const PAIR_ONE: f32 = 16384;

/** The two bytes at each of four addresses, as i16. */
// @ts-ignore: decorator
@inline
function pairs4(p0: usize, p1: usize, p2: usize, p3: usize): v128 {
  let pairs = v128.load16_lane(p0, i32x4.splat(0), 0);
  pairs = v128.load16_lane(p1, pairs, 1);
  pairs = v128.load16_lane(p2, pairs, 2);
  return i16x8.extend_low_i8x16_u(v128.load16_lane(p3, pairs, 3));
}

/** The first `count` of four values as bytes, `step` bytes apart. */
// @ts-ignore: decorator
@inline
function storeBytes(values: v128, to: usize, step: i32, count: i32): void {
  const value = rounded(values);
  const bytes = i8x16.narrow_i16x8_u(i16x8.narrow_i32x4_s(value, value), value);
  if (step == 1 && count == 4) {
    v128.store32_lane(to, bytes, 0);
    return;
  }
  store<u8>(to, i8x16.extract_lane_u(bytes, 0));
  if (count > 1) store<u8>(to + step, i8x16.extract_lane_u(bytes, 1));
  if (count > 2) store<u8>(to + 2 * step, i8x16.extract_lane_u(bytes, 2));
  if (count > 3) store<u8>(to + 3 * step, i8x16.extract_lane_u(bytes, 3));
}

/** The bytes at an offset from four addresses. */
// @ts-ignore: decorator
@inline
function next4(p0: usize, p1: usize, p2: usize, p3: usize, offset: usize): v128 {
  return i32x4(load<u8>(p0 + offset), load<u8>(p1 + offset), load<u8>(p2 + offset), load<u8>(p3 + offset));
}
