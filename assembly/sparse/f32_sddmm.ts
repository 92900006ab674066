import { madd, zero } from '../simd/simd';

// Micro-kernel of the input gradient: only the elements of dX whose input was not zero are wanted, since ReLU and
// Dropout let no other gradient through. For each entry (k, ...) of a compressed row of X,
//
//   out[k] = init + sum over 32 columns o of d[o] B[k][o]
//
// Four entries are taken at once. Lane l of an entry's sum runs over o = l mod 4, in order; the lanes are then added as
// (0 + 1) + (2 + 3).

/**
 * entry, end  a row's entries in one K-block (compress.ts)
 * d           [32] f32
 * b           the K-block of a panel of B
 * out         the row of dX from the K-block's first element; written where an entry is, else left alone
 * first       true: init = 0; false: init = what out holds
 */
export function f32_sddmm(entry: usize, end: usize, d: usize, b: usize, out: usize, first: bool): void {
  for (; entry < end; entry += 32) {
    // In place of entries that are missing at the end, the first of the four is taken again.
    const o0 = load<u32>(entry);
    const o1 = entry + 8 < end ? load<u32>(entry, 8) : o0;
    const o2 = entry + 16 < end ? load<u32>(entry, 16) : o0;
    const o3 = entry + 24 < end ? load<u32>(entry, 24) : o0;
    let r0 = b + <usize>o0;
    let r1 = b + <usize>o1;
    let r2 = b + <usize>o2;
    let r3 = b + <usize>o3;
    let s0 = zero();
    let s1 = zero();
    let s2 = zero();
    let s3 = zero();
    // A loop, not 8 copies: V8 on Node 20 would load all 32 vectors first and spill them.
    for (let p = d; p < d + 128; p += 16) {
      const v = v128.load(p);
      s0 = madd(v, v128.load(r0), s0);
      s1 = madd(v, v128.load(r1), s1);
      s2 = madd(v, v128.load(r2), s2);
      s3 = madd(v, v128.load(r3), s3);
      r0 += 16;
      r1 += 16;
      r2 += 16;
      r3 += 16;
    }
    const pairs01 = f32x4.add(i32x4.shuffle(s0, s1, 0, 2, 4, 6), i32x4.shuffle(s0, s1, 1, 3, 5, 7));
    const pairs23 = f32x4.add(i32x4.shuffle(s2, s3, 0, 2, 4, 6), i32x4.shuffle(s2, s3, 1, 3, 5, 7));
    const even = i32x4.shuffle(pairs01, pairs23, 0, 2, 4, 6);
    const odd = i32x4.shuffle(pairs01, pairs23, 1, 3, 5, 7);
    const sums = f32x4.add(even, odd);
    // A row of a panel is 32 elements: its byte offset over 32 is that of element k.
    const p0 = out + <usize>(o0 >> 5);
    const p1 = out + <usize>(o1 >> 5);
    const p2 = out + <usize>(o2 >> 5);
    const p3 = out + <usize>(o3 >> 5);
    const init0 = first ? <f32>0 : load<f32>(p0);
    const init1 = first ? <f32>0 : load<f32>(p1);
    const init2 = first ? <f32>0 : load<f32>(p2);
    const init3 = first ? <f32>0 : load<f32>(p3);
    store<f32>(p0, init0 + f32x4.extract_lane(sums, 0));
    store<f32>(p1, init1 + f32x4.extract_lane(sums, 1));
    store<f32>(p2, init2 + f32x4.extract_lane(sums, 2));
    store<f32>(p3, init3 + f32x4.extract_lane(sums, 3));
  }
}
