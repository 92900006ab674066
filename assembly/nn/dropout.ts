import { STREAM_DROPOUT, philoxPair } from '../rng/philox';
import { STRIP_BYTES } from './norm';

// Dropout (Srivastava et al., 2014): x = keep ? x keepScale : 0 with keepScale = 1 / (1 - p). The mask is a function of
// (key, step, layer, b, o) alone, so what one pass drew another can draw again.

/** Dropout's probabilities are multiples of 2^-16: an element is kept if its 16 random bits are below this. */
export const KEEP_ALL: i32 = 65536;

/** One block's dropout in one step, with room of the calling thread's own for DROPOUT_BYTES. */
@unmanaged
export class Dropout {
  /** From 1 to KEEP_ALL, which drops nothing. */
  keepBelow: i32;
  keepScale: f32;
  step: i32;
  layer: i32;
  key0: u32;
  key1: u32;
}

/** Where the random bits of four rows stand behind the fields. */
const DRAWS: usize = 64;
/** Bytes of a Dropout and its random bits. */
export const DROPOUT_BYTES: i32 = 192;

/**
 * The random bits of row b, 16 each, for a strip: eight features at the address returned and eight 64 bytes on. Rows
 * are asked for one after another from a multiple of four on.
 */
// @ts-ignore: decorator
@inline
export function drawnBits(dropout: Dropout, b: i32, strip: i32): usize {
  const draws = changetype<usize>(dropout) + DRAWS;
  // Block (b, 8 features, step, layer): four words, two bytes a feature. Four rows are drawn at once.
  if ((b & 3) == 0) {
    const stream = (STREAM_DROPOUT << 16) | dropout.layer;
    philoxPair(b, 2 * strip, dropout.step, stream, dropout.key0, dropout.key1, draws);
  }
  return draws + (<usize>(b & 3) << 4);
}

/** x = keep ? x keepScale : 0 over one strip, in place. */
export function maskStrip(B: i32, x: usize, stride: usize, dropout: Dropout, strip: i32): void {
  const scale = f32x4.splat(dropout.keepScale);
  const threshold = i16x8.splat(<i16>(dropout.keepBelow - 1));
  let p = x + <usize>strip * STRIP_BYTES;
  for (let b = 0; b < B; b++, p += stride) {
    const draws = drawnBits(dropout, b, strip);
    const keepA = i16x8.le_u(v128.load(draws), threshold);
    const keepB = i16x8.le_u(v128.load(draws, 64), threshold);
    v128.store(p, v128.and(f32x4.mul(v128.load(p), scale), i32x4.extend_low_i16x8_s(keepA)));
    v128.store(p, v128.and(f32x4.mul(v128.load(p, 16), scale), i32x4.extend_high_i16x8_s(keepA)), 16);
    v128.store(p, v128.and(f32x4.mul(v128.load(p, 32), scale), i32x4.extend_low_i16x8_s(keepB)), 32);
    v128.store(p, v128.and(f32x4.mul(v128.load(p, 48), scale), i32x4.extend_high_i16x8_s(keepB)), 48);
  }
}
