import { FUSED } from '../../assembly/simd/simd';

// What every spec needs: guarded memory, reproducible inputs, error bounds, and failures that say where and why.
// A case starts with begin(), which frees the memory of the case before it.

// Error bounds

/** Half the distance from 1 to the next f32: the largest relative error of one rounding. */
export const EPS: f64 = 1.0 / 16777216.0;

/** Bound on the relative error of `roundings` in a row (Higham, "Accuracy and Stability of Numerical Algorithms", 3.1). */
export function accumulated(roundings: i32): f64 {
  return (<f64>roundings * EPS) / (1.0 - <f64>roundings * EPS);
}

/** Distance between `exact` and its neighbour among the normal f32 numbers. */
export function ulp(exact: f64): f64 {
  const exponent = max(<i32>((reinterpret<u64>(exact) >> 52) & 0x7ff) - 1023, -126);
  return reinterpret<f64>(<u64>(exponent - 23 + 1023) << 52);
}

// Failures

let caseName: string = '';
let caseSeed: u64 = 0;

/** Fails the running test: what went wrong, in which case, with which seed and arithmetic. */
export function fail(what: string): void {
  throw new Error(
    `${what}; case: ${caseName}; seed ${caseSeed.toString()}; ${FUSED ? 'fused' : 'plain'} multiply-add`,
  );
}

/** `name`[i][j] has to be within `tolerance` of `expected`; NaN never is. */
export function expectNear(actual: f64, expected: f64, tolerance: f64, name: string, i: i32, j: i32): void {
  if (abs(actual - expected) <= tolerance) return;
  fail(
    `${name}[${i.toString()}][${j.toString()}] is ${actual.toString()}, expected ${expected.toString()} ` +
      `within ${tolerance.toString()}`,
  );
}

/** `name`[i][j] has to be exactly `expected`; any NaN stands for NaN, and -0 is not 0. */
export function expectSame(actual: f32, expected: f32, name: string, i: i32, j: i32): void {
  if (reinterpret<u32>(actual) == reinterpret<u32>(expected)) return;
  if (isNaN(actual) && isNaN(expected)) return;
  fail(
    `${name}[${i.toString()}][${j.toString()}] is ${actual.toString()}, expected exactly ${expected.toString()}`,
  );
}

/** Two f32 matrices of rows x columns, rows `ld` elements apart, have to hold the same bytes. */
export function expectSameBytes(actual: usize, expected: usize, rows: i32, columns: i32, ld: i32, name: string): void {
  for (let i = 0; i < rows; i++) {
    const row = (<usize>i * ld) << 2;
    if (memory.compare(actual + row, expected + row, <usize>columns << 2) == 0) continue;
    for (let j = 0; j < columns; j++) {
      const a = load<u32>(actual + row + (<usize>j << 2));
      const e = load<u32>(expected + row + (<usize>j << 2));
      if (a != e) fail(`${name}[${i.toString()}][${j.toString()}] has bits ${a.toString(16)}, expected ${e.toString(16)}`);
    }
  }
}

/** Says `what` if the condition does not hold. */
export function expectThat(condition: bool, what: string): void {
  if (!condition) fail(what);
}

// Memory: 64-byte aligned buffers, each between two guards that nobody may write to.

const ARENA_BYTES: usize = 32 << 20;
const ALIGNMENT: usize = 64;
const MAX_BUFFERS: i32 = 256;
/** Bytes of a guard. */
const GUARD: u8 = 0xa5;
/** Bytes of a fresh buffer: as f32 NaN, so that whatever reads what was never written is found out. */
const FRESH: u8 = 0xff;
/** Four of them. */
const FRESH_WORD: u32 = 0xffffffff;

const arena: usize = (heap.alloc(ARENA_BYTES + ALIGNMENT) + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
const starts = new StaticArray<usize>(MAX_BUFFERS);
const ends = new StaticArray<usize>(MAX_BUFFERS);
let buffers: i32 = 0;
let cursor: usize = arena;

/** A fresh buffer of at least `bytes`, 64-byte aligned; the guard behind it starts at its very last byte. */
export function allocate(bytes: usize): usize {
  const start = cursor + ALIGNMENT;
  const end = start + bytes;
  const next = (end + ALIGNMENT + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
  if (next > arena + ARENA_BYTES || buffers == MAX_BUFFERS) fail(`no room for ${bytes.toString()} bytes more`);
  memory.fill(cursor, GUARD, next - cursor);
  memory.fill(start, FRESH, bytes);
  starts[buffers] = start;
  ends[buffers++] = end;
  cursor = next;
  return start;
}

/** A fresh buffer of `count` f32. */
export function floats(count: i32): usize {
  return allocate(<usize>count << 2);
}

/** A buffer of `count` f32 zeros. */
export function zeroed(count: i32): usize {
  const p = floats(count);
  memory.fill(p, 0, <usize>count << 2);
  return p;
}

/** A copy of `count` f32. */
export function copied(source: usize, count: i32): usize {
  const p = floats(count);
  memory.copy(p, source, <usize>count << 2);
  return p;
}

/**
 * Moves the f32 that one thread wrote to `part`, a fresh buffer of its own, into `whole`, where no other may have
 * written: shares that overlap would race. `count` elements of each.
 */
export function moveShare(part: usize, whole: usize, count: i32): void {
  for (let i = 0; i < count; i++) {
    const bits = load<u32>(part + (<usize>i << 2));
    if (bits == FRESH_WORD) continue;
    const target = whole + (<usize>i << 2);
    if (load<u32>(target) != FRESH_WORD) fail(`two threads wrote element ${i.toString()}`);
    store<u32>(target, bits);
  }
  memory.fill(part, FRESH, <usize>count << 2);
}

/** No byte outside the case's buffers may have been written. */
export function expectGuards(): void {
  let free = arena;
  for (let i = 0; i <= buffers; i++) {
    const until = i < buffers ? starts[i] : cursor;
    for (let p = free; p < until; p++) {
      if (load<u8>(p) != GUARD) fail(`a write outside the buffers, near number ${i.toString()}`);
    }
    if (i < buffers) free = ends[i];
  }
}

/** Starts a case: frees all buffers and seeds the random numbers. */
export function begin(name: string, seed: u64): void {
  caseName = name;
  caseSeed = seed;
  state = seed;
  buffers = 0;
  cursor = arena;
}

// Elements, and random ones (SplitMix64: Steele, Lea, Flood, OOPSLA 2014)

/** Element i of an f32 vector. */
export function at(vector: usize, i: i32): f32 {
  return load<f32>(vector + (<usize>i << 2));
}

/** Sets element i of an f32 vector. */
export function put(vector: usize, i: i32, value: f32): void {
  store<f32>(vector + (<usize>i << 2), value);
}

let state: u64 = 0;

/** 32 random bits. */
export function randomBits(): u32 {
  state += 0x9e3779b97f4a7c15;
  let z = state;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return <u32>((z ^ (z >> 31)) >> 32);
}

/** A random number in [low, high). */
export function uniform(low: f64, high: f64): f64 {
  return low + ((high - low) * <f64>randomBits()) / 4294967296.0;
}

/** A random integer in [0, count). */
export function randomBelow(count: i32): i32 {
  return <i32>((<u64>randomBits() * <u64>count) >> 32);
}

/** Fills `count` f32 with random numbers in [low, high). */
export function fillUniform(p: usize, count: i32, low: f64, high: f64): void {
  for (let i = 0; i < count; i++) put(p, i, <f32>uniform(low, high));
}

/** Fills `count` f32 with random integers in [-largest, largest]: sums of their products are exact. */
export function fillIntegers(p: usize, count: i32, largest: i32): void {
  for (let i = 0; i < count; i++) put(p, i, <f32>(randomBelow(2 * largest + 1) - largest));
}

/** Fills `count` bytes with random ones. */
export function fillBytes(p: usize, count: i32): void {
  for (let i = 0; i < count; i++) store<u8>(p + i, <u8>randomBits());
}

/** A random order of 0, 1, ..., count-1, as u32. */
export function shuffled(count: i32): usize {
  const p = floats(count);
  for (let i = 0; i < count; i++) {
    const j = randomBelow(i + 1);
    const at = p + (<usize>i << 2);
    const other = p + (<usize>j << 2);
    if (i != j) store<u32>(at, load<u32>(other));
    store<u32>(other, i);
  }
  return p;
}

function isPrime(n: i32): bool {
  for (let divisor = 2; divisor * divisor <= n; divisor++) {
    if (n % divisor == 0) return false;
  }
  return n >= 2;
}

/** The smallest prime that is at least n: a row stride that fits no vector. */
export function primeFrom(n: i32): i32 {
  let candidate = n;
  while (!isPrime(candidate)) candidate++;
  return candidate;
}

/** n rounded up to a multiple of `unit`. */
export function roundUp(n: i32, unit: i32): i32 {
  return ((n + unit - 1) / unit) * unit;
}
