import { TreadleError } from '#bindings';

/**
 * Philox4x32-10, the counter-based generator of Salmon, Moraes, Dror and Shaw, "Parallel Random Numbers: As Easy
 * as 1, 2, 3" (SC 2011): ten rounds of two 32x32 -> 64-bit products, the key raised by a constant between rounds.
 */
const MULTIPLIER_0 = 0xd2511f53;
const MULTIPLIER_1 = 0xcd9e8d57;
const KEY_STEP_0 = 0x9e3779b9;
const KEY_STEP_1 = 0xbb67ae85;
const ROUNDS = 10;

/** Four unsigned 32-bit words. */
export type Words4 = [number, number, number, number];

/** Sets the host's draws apart from those the numeric core makes with the same seed as its key. */
const HOST_DOMAIN = 0x686f7374;

/** Upper 32 bits of the product of two unsigned 32-bit numbers, by 16-bit halves and in whole numbers of 32 bits. */
function multiplyHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  // Neither sum reaches 2^32: (2^16 - 1)^2 + 2^16 - 1 is below it.
  const middle = (Math.imul(aHigh, bLow) >>> 0) + (Math.imul(aLow, bLow) >>> 16);
  const carry = (Math.imul(aLow, bHigh) >>> 0) + (middle & 0xffff);
  return (Math.imul(aHigh, bHigh) + (middle >>> 16) + (carry >>> 16)) >>> 0;
}

/** The four random words of one counter under one key; every word in and out is an unsigned 32-bit number. */
export function philox4x32(counter: Readonly<Words4>, key: readonly [number, number]): Words4 {
  let [c0, c1, c2, c3] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < ROUNDS; round++) {
    const high0 = multiplyHigh(MULTIPLIER_0, c0);
    const low0 = Math.imul(MULTIPLIER_0, c0) >>> 0;
    const high1 = multiplyHigh(MULTIPLIER_1, c2);
    const low1 = Math.imul(MULTIPLIER_1, c2) >>> 0;
    c0 = (high1 ^ c1 ^ k0) >>> 0;
    c1 = low1;
    c2 = (high0 ^ c3 ^ k1) >>> 0;
    c3 = low0;
    k0 = (k0 + KEY_STEP_0) >>> 0;
    k1 = (k1 + KEY_STEP_1) >>> 0;
  }
  return [c0, c1, c2, c3];
}

/** Splits a whole number from 0 to 2^53 - 1 into its low and high 32-bit words. */
function words(value: number): [number, number] {
  return [value % 0x1_0000_0000, Math.floor(value / 0x1_0000_0000)];
}

/** An endless stream of unsigned 32-bit words: the seed is the key, the stream number half of the counter. */
export function wordStream(seed: number, stream: number): () => number {
  const key = words(seed);
  const [streamLow, streamHigh] = words(stream);
  let [block, at] = [0, 4];
  let four: Words4 = [0, 0, 0, 0];
  return () => {
    if (at === 4) {
      four = philox4x32([block++, HOST_DOMAIN, streamLow, streamHigh], key);
      at = 0;
    }
    return four[at++]!;
  };
}

/**
 * A number from 0 to below 1 of 53 random bits: a pure function of its arguments, which are checked as those of
 * {@link shuffled}.
 */
export function unit(seed: number, stream: number): number {
  checkWhole('seed', seed, Number.MAX_SAFE_INTEGER);
  checkWhole('stream', stream, Number.MAX_SAFE_INTEGER);
  const next = wordStream(seed, stream);
  return ((next() >>> 5) * 2 ** 26 + (next() >>> 6)) / 2 ** 53;
}

/**
 * A whole number from 0 to bound - 1, all equally likely, from a source of random 32-bit words: words beyond the last
 * whole multiple of the bound are passed over. `bound` is a whole number from 1 to 2^32.
 */
export function below(bound: number, next: () => number): number {
  const whole = 0x1_0000_0000;
  let word = next();
  // The remainder, which is slow, is asked for by the few words that it could concern.
  if (word > whole - bound) {
    const limit = whole - (whole % bound);
    while (word >= limit) word = next();
  }
  return bound < whole ? ((word >>> 0) % (bound >>> 0)) >>> 0 : word;
}

/**
 * The numbers 0 to count - 1 in random order (Fisher-Yates, unbiased): a pure function of its arguments.
 * Streams from 2^40 up belong to the dataset's split; epochs and other callers use smaller numbers.
 * Throws `range` for a count that is not a whole number from 0 to 2^32 - 1, and for a seed or stream that is not
 * a whole number from 0 to 2^53 - 1.
 *
 * @example shuffled(60_000, 42, 1); // the order of epoch 1
 */
export function shuffled(count: number, seed: number, stream: number): Uint32Array {
  checkWhole('count', count, 0xffff_ffff);
  checkWhole('seed', seed, Number.MAX_SAFE_INTEGER);
  checkWhole('stream', stream, Number.MAX_SAFE_INTEGER);
  const order = new Uint32Array(count);
  for (let index = 0; index < count; index++) order[index] = index;
  const source = wordStream(seed, stream);
  for (let last = count - 1; last > 0; last--) {
    const chosen = below(last + 1, source);
    const moved = order[last]!;
    order[last] = order[chosen]!;
    order[chosen] = moved;
  }
  return order;
}

function checkWhole(subject: string, found: number, most: number): void {
  if (Number.isInteger(found) && found >= 0 && found <= most) return;
  const expected = `a whole number from 0 to ${most}`;
  throw new TreadleError('range', `${subject} is ${found}; ${expected} is expected.`, {
    subject,
    found,
    expected,
  });
}
