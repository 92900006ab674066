import { zero } from '../simd/simd';

// Dense: Z = X W + b with X (B, I), W (I, O), b (O). All three products are gemm() over packed operands:
//
//   forward          Z  = X W + b         A = X, B = W           init = b
//   weight gradient  dW = X^T dZ          A = X^T, B = dZ        init = 0
//   input gradient   dX = dZ W^T          A = dZ, B = W^T        init = 0
//
// What is left is the bias.

/**
 * db[o] = sum_b dz[b][o], in the order b = 0, 1, ..., B-1.
 * dz  (B, O) with rows ld elements apart, ld a multiple of 4;  db  (O) padded to ld; overwritten
 */
export function biasGradient(B: i32, dz: usize, ld: i32, db: usize): void {
  const stride = <usize>ld << 2;
  const size = <usize>B * stride;
  for (let column: usize = 0; column < stride; column += 16) {
    let sum = zero();
    for (let p = column; p < column + size; p += stride) sum = f32x4.add(sum, v128.load(dz + p));
    v128.store(db + column, sum);
  }
}
