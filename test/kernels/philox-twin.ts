// Philox4x32-10 once more, one block at a time in scalar 64-bit arithmetic, written from the paper's round function:
// Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.

const words = new StaticArray<u32>(4);

/** The block of the counter (c0, c1, c2, c3) under the key (k0, k1); valid until the next call. */
export function philoxTwin(c0: u32, c1: u32, c2: u32, c3: u32, k0: u32, k1: u32): StaticArray<u32> {
  words[0] = c0;
  words[1] = c1;
  words[2] = c2;
  words[3] = c3;
  for (let round: u32 = 0; round < 10; round++) {
    const left = <u64>words[0] * 0xd2511f53;
    const right = <u64>words[2] * 0xcd9e8d57;
    const first = <u32>(right >> 32) ^ words[1] ^ (k0 + round * 0x9e3779b9);
    const third = <u32>(left >> 32) ^ words[3] ^ (k1 + round * 0xbb67ae85);
    words[0] = first;
    words[1] = <u32>right;
    words[2] = third;
    words[3] = <u32>left;
  }
  return words;
}
