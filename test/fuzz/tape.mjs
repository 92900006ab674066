// The choices of a mutation, drawn from a list of random numbers that fast-check generates from a seed.
import fc from 'fast-check';

/** Choices are generated in blocks, so that one input costs little and any can be made again by its number. */
const BLOCK = 256;
const CHOICES = fc.noBias(
  fc.array(fc.integer({ min: 0, max: 0x7fffffff }), { minLength: 40, maxLength: 40, size: 'max' }),
);

let held = { key: '', lists: [] };

/** The list of random numbers that belongs to input `index` of a reader under a seed. */
function choicesOf(reader, seed, index) {
  const block = Math.floor(index / BLOCK);
  const key = `${reader} ${seed} ${block}`;
  if (held.key !== key) {
    held = { key, lists: fc.sample(CHOICES, { seed: hash(key), numRuns: BLOCK }) };
  }
  return held.lists[index % BLOCK];
}

/** 32-bit FNV-1a. */
function hash(text) {
  let state = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) state = Math.imul(state ^ text.charCodeAt(at), 0x01000193);
  return state | 0;
}

/** Draws the choices of one input, one after another. */
export function tapeOf(reader, seed, index) {
  const list = choicesOf(reader, seed, index);
  let at = 0;
  let last = index;
  // After the end of the list the numbers go on by a linear congruential generator.
  const draw = () => {
    if (at < list.length) return list[at++];
    last = (Math.imul(last, 1664525) + 1013904223) >>> 0;
    return last >>> 4;
  };
  return {
    /** A whole number from 0 to below `count`. */
    below: (count) => draw() % Math.max(1, count),
    /** One of a list. */
    of: (choices) => choices[draw() % choices.length],
    /** True once in `odds` times. */
    oneIn: (odds) => draw() % odds === 0,
  };
}
