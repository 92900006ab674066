import { philox4, philoxPair } from '../../assembly/rng/philox';
import { philoxTwin } from './philox-twin';
import { allocate, begin, expectGuards, fail, randomBits } from './support';

let out: usize = 0;

/** Fails unless word `index` of lane `lane` is `expected`. */
function expectWord(lane: i32, index: i32, expected: u32): void {
  const actual = load<u32>(out + ((<usize>lane * 4 + index) << 2));
  if (actual == expected) return;
  fail(`word ${index.toString()} of lane ${lane.toString()} is ${actual.toString(16)}, expected ${expected.toString(16)}`);
}

/** Lane 0 has to hold the four words given, and so does the scalar twin. */
function expectBlock(c0: u32, c1: u32, c2: u32, c3: u32, k0: u32, k1: u32, w0: u32, w1: u32, w2: u32, w3: u32): void {
  begin('known answer', 0);
  out = allocate(64);
  philox4(c0, c1, c2, c3, k0, k1, out);
  expectWord(0, 0, w0);
  expectWord(0, 1, w1);
  expectWord(0, 2, w2);
  expectWord(0, 3, w3);
  const twin = philoxTwin(c0, c1, c2, c3, k0, k1);
  expect(twin[0]).toBe(w0, 'the twin, word 0');
  expect(twin[1]).toBe(w1, 'the twin, word 1');
  expect(twin[2]).toBe(w2, 'the twin, word 2');
  expect(twin[3]).toBe(w3, 'the twin, word 3');
  expectGuards();
}

/** All four lanes have to be the twin's blocks of c0, c0 + 1, c0 + 2, c0 + 3. */
function expectLanes(c0: u32, c1: u32, c2: u32, c3: u32, k0: u32, k1: u32): void {
  philox4(c0, c1, c2, c3, k0, k1, out);
  for (let lane: u32 = 0; lane < 4; lane++) {
    const twin = philoxTwin(c0 + lane, c1, c2, c3, k0, k1);
    for (let index = 0; index < 4; index++) expectWord(lane, index, twin[index]);
  }
}

// The three known answers for philox4x32-10 that its authors publish with Random123 (tests/kat_vectors).
describe('philox4x32-10, published test vectors', () => {
  it('counter and key all zeros (exact)', () => {
    expectBlock(0, 0, 0, 0, 0, 0, 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8);
  });

  it('counter and key all ones (exact)', () => {
    const ones: u32 = 0xffffffff;
    expectBlock(ones, ones, ones, ones, ones, ones, 0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd);
  });

  it('counter and key from the digits of pi (exact)', () => {
    expectBlock(
      0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0xa4093822, 0x299f31d0,
      0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1,
    );
  });
});

describe('philox4x32-10, four blocks at once', () => {
  it('lanes are the blocks of c0, c0 + 1, c0 + 2, c0 + 3, on 2000 random counters and keys (exact)', () => {
    begin('random counters', 11);
    out = allocate(64);
    for (let round = 0; round < 2000; round++) {
      expectLanes(randomBits(), randomBits(), randomBits(), randomBits(), randomBits(), randomBits());
    }
    expectGuards();
  });

  it('c0 wraps around without touching c1 (exact)', () => {
    begin('c0 near 2^32', 12);
    out = allocate(64);
    for (let c0: u32 = 0xfffffffc; c0 != 1; c0++) expectLanes(c0, 5, 6, 7, 8, 9);
    expectGuards();
  });
});

describe('philox4x32-10, two times four blocks at once', () => {
  it('are those of philox4 for c1 and for c1 + 1, which may wrap around, on 2000 random counters and keys (exact)', () => {
    begin('random counters', 13);
    const pair = allocate(128);
    const single = allocate(64);
    for (let round = 0; round < 2000; round++) {
      const c0 = randomBits();
      const c1 = round == 0 ? 0xffffffff : randomBits();
      const c2 = randomBits();
      const c3 = randomBits();
      const k0 = randomBits();
      const k1 = randomBits();
      philoxPair(c0, c1, c2, c3, k0, k1, pair);
      for (let half: u32 = 0; half < 2; half++) {
        philox4(c0, c1 + half, c2, c3, k0, k1, single);
        if (memory.compare(pair + (<usize>half << 6), single, 64) != 0) fail(`half ${half.toString()} differs`);
      }
    }
    expectGuards();
  });
});
