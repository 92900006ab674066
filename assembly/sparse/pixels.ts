import { loadPixels } from '../simd/simd';

/** Writes the table of pixel values, out[p] = p / 255 for p = 0, ..., 255: 256 f32, the bits of loadPixels. */
export function pixelTable(out: usize): void {
  for (let p: u32 = 0; p < 256; p += 4) {
    store<u32>(out + (p << 2), p | ((p + 1) << 8) | ((p + 2) << 16) | ((p + 3) << 24));
    v128.store(out + (p << 2), loadPixels(out + (p << 2)));
  }
}
