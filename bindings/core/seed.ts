/** A seed from 0 to 2^53 - 1 as Philox's two key words, the low one first. */
export function seedWords(seed: number): [number, number] {
  return [seed >>> 0, Math.floor(seed / 2 ** 32)];
}
