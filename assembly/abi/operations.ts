// The records of the layer program: one class an operation, whose fields are its arguments by name. The host writes
// them (bindings/program/operations.ts has the same names in the same order; a test compares the two) and net/ reads
// them.
//
// Addresses and strides are in bytes, ld in elements. A dimension of 0 stands for the rows of the batch. A `source` of
// 0 stands for the batch's samples; where `ordered` is 1, row b is row order[b] of the source. Every operation does the
// calling thread's share of its outputs.

/** Bytes of a record; a program is an array of them, ended by an opcode of 0. */
export const RECORD_BYTES: i32 = 96;

/** What every record begins with. */
@unmanaged
export class Operation {
  opcode: i32;
  /** 1: every thread waits for the others after this operation. */
  barrier: i32;
}

export const END: i32 = 0;

// Packing: operands are gathered, packed and compressed. Opcodes 1 to 19.

export const PACK_ROWS: i32 = 1;
/** The rows of the batch as operand A. */
@unmanaged
export class PackRows extends Operation {
  kind: i32;
  height: i32;
  K: i32;
  source: usize;
  stride: usize;
  ordered: i32;
  out: usize;
}

export const PACK_COLUMNS: i32 = 2;
/** The transpose of the rows of the batch, M columns each, as operand A. */
@unmanaged
export class PackColumns extends Operation {
  kind: i32;
  height: i32;
  M: i32;
  source: usize;
  stride: usize;
  ordered: i32;
  out: usize;
}

export const COMPRESS_ROWS: i32 = 3;
/** The rows of the batch without their zeros. */
@unmanaged
export class CompressRows extends Operation {
  kind: i32;
  K: i32;
  source: usize;
  stride: usize;
  ordered: i32;
  entries: usize;
  starts: usize;
}

export const COMPRESS_COLUMNS: i32 = 4;
/** The transpose of the rows of the batch without its zeros. */
@unmanaged
export class CompressColumns extends Operation {
  kind: i32;
  M: i32;
  source: usize;
  stride: usize;
  ordered: i32;
  entries: usize;
  starts: usize;
}

export const CSR_COLUMNS: i32 = 5;
/** The transpose of the batch's rows of a CSR matrix of `features` columns. */
@unmanaged
export class CsrColumns extends Operation {
  features: i32;
  entries: usize;
  starts: usize;
}

export const PACK_B: i32 = 6;
/** A row-major (K, N) matrix as operand B. */
@unmanaged
export class PackB extends Operation {
  K: i32;
  N: i32;
  source: usize;
  stride: usize;
  out: usize;
}

export const PACK_TRANSPOSED_B: i32 = 7;
/** The transpose of a row-major (N, K) matrix as operand B. */
@unmanaged
export class PackTransposedB extends Operation {
  N: i32;
  K: i32;
  source: usize;
  stride: usize;
  out: usize;
}

export const TRANSPOSE_PANELS: i32 = 8;
/** Weights (I, O) in panels as their transpose (O, I) in panels. */
@unmanaged
export class TransposePanels extends Operation {
  I: i32;
  O: i32;
  source: usize;
  out: usize;
}

export const SCALE_PANELS: i32 = 9;
/** Column n of a matrix (K, N) in panels times scale[n]. */
@unmanaged
export class ScalePanels extends Operation {
  K: i32;
  N: i32;
  source: usize;
  scale: usize;
  out: usize;
}

export const AUGMENT_IMAGES: i32 = 10;
/** The batch's u8 rows, augmented, one behind the other; `room` is `roomBytes` a thread. The rest: image/augment. */
@unmanaged
export class AugmentImages extends Operation {
  stride: i32;
  out: usize;
  room: usize;
  roomBytes: i32;
  height: i32;
  width: i32;
  channels: i32;
  flip: f32;
  share: f32;
  rotation: f32;
  zoom: f32;
  aspect: f32;
  shear: f32;
  shift: f32;
}

// Products. Opcodes 20 to 29.

export const GEMM: i32 = 20;
/** C = init + A B over packed operands. */
@unmanaged
export class Gemm extends Operation {
  height: i32;
  M: i32;
  N: i32;
  K: i32;
  a: usize;
  b: usize;
  init: usize;
  c: usize;
  cStride: usize;
}

export const SPMM: i32 = 21;
/** C = init + A B with the rows of A compressed. */
@unmanaged
export class Spmm extends Operation {
  width: i32;
  N: i32;
  K: i32;
  starts: usize;
  b: usize;
  init: usize;
  c: usize;
  cStride: usize;
}

export const SPMM_CSR: i32 = 22;
/** C = init + A B with the batch's rows of a CSR matrix as A. */
@unmanaged
export class SpmmCsr extends Operation {
  width: i32;
  N: i32;
  K: i32;
  b: usize;
  init: usize;
  c: usize;
  cStride: usize;
}

export const SDDMM: i32 = 23;
/** The elements of dX = dZ W^T at which the compressed X has an entry. */
@unmanaged
export class Sddmm extends Operation {
  width: i32;
  N: i32;
  K: i32;
  starts: usize;
  d: usize;
  dStride: usize;
  b: usize;
  dx: usize;
  xStride: usize;
}

// Blocks. Opcodes 30 to 39.

export const BLOCK_FORWARD: i32 = 30;
/** out = dropout(activation(norm(z))); a `norm` of 0 is none. */
@unmanaged
export class BlockForward extends Operation {
  z: usize;
  out: usize;
  ld: i32;
  columns: i32;
  width: i32;
  norm: usize;
  epsilon: f32;
  momentum: f32;
  carry: f32;
  frozen: i32;
  kind: i32;
  slope: f32;
  keepBelow: i32;
  keepScale: f32;
  layer: i32;
}

export const BLOCK_BACKWARD: i32 = 31;
/** d holds the gradient of out on entry and that of z on return. Without a norm dbeta is the bias gradient, or 0. */
@unmanaged
export class BlockBackward extends Operation {
  z: usize;
  out: usize;
  d: usize;
  ld: i32;
  columns: i32;
  width: i32;
  norm: usize;
  dgamma: usize;
  dbeta: usize;
  frozen: i32;
  kind: i32;
  slope: f32;
  keepBelow: i32;
  keepScale: f32;
  layer: i32;
}

export const FOLD_NORM: i32 = 32;
/** Inference's BatchNorm as a scale and a bias of the dense layer before it. */
@unmanaged
export class FoldNorm extends Operation {
  bias: usize;
  columns: i32;
  norm: usize;
  epsilon: f32;
  scale: usize;
  folded: usize;
}

export const ACTIVATE: i32 = 33;
/** out = activation(source) over the rows of the batch; out may be the source. */
@unmanaged
export class Activate extends Operation {
  kind: i32;
  slope: f32;
  ld: i32;
  source: usize;
  out: usize;
}

export const BIAS_GRADIENT: i32 = 34;
/** db = the sum of dz over the rows. */
@unmanaged
export class BiasGradient extends Operation {
  ld: i32;
  dz: usize;
  db: usize;
}

// Heads and losses; targets, weights and order are the batch's. Opcodes 40 to 49.

export const SOFTMAX: i32 = 40;
/** Probabilities p, the predicted classes, and the losses where the batch has targets. */
@unmanaged
export class Softmax extends Operation {
  C: i32;
  ld: i32;
  x: usize;
  p: usize;
  predicted: usize;
  losses: usize;
  smoothing: f32;
}

export const CROSS_ENTROPY_BACKWARD: i32 = 41;
/** p becomes the gradient of the logits. */
@unmanaged
export class CrossEntropyBackward extends Operation {
  C: i32;
  ld: i32;
  p: usize;
  smoothing: f32;
}

export const SIGMOID: i32 = 42;
/** Probabilities p, and the losses where the batch has targets. */
@unmanaged
export class Sigmoid extends Operation {
  C: i32;
  ld: i32;
  x: usize;
  p: usize;
  losses: usize;
}

export const SIGMOID_BACKWARD: i32 = 43;
/** p becomes the gradient of the logits. */
@unmanaged
export class SigmoidBackward extends Operation {
  C: i32;
  ld: i32;
  p: usize;
}

export const REGRESSION: i32 = 44;
/** Predictions p, and the losses where the batch has targets: squared error, or Huber's where `kind` is 1. */
@unmanaged
export class Regression extends Operation {
  kind: i32;
  delta: f32;
  C: i32;
  ld: i32;
  x: usize;
  p: usize;
  losses: usize;
}

export const REGRESSION_BACKWARD: i32 = 45;
/** p becomes the gradient of the predictions. */
@unmanaged
export class RegressionBackward extends Operation {
  kind: i32;
  delta: f32;
  C: i32;
  ld: i32;
  p: usize;
}

// The optimiser. Opcodes 50 to 59.

export const UPDATE_DENSE: i32 = 50;
/** The gradient X^T dZ of the weights w, and their step or, of kind STORE, its copy to m. */
@unmanaged
export class UpdateDense extends Operation {
  height: i32;
  I: i32;
  O: i32;
  a: usize;
  b: usize;
  kind: i32;
  w: usize;
  m: usize;
  v: usize;
  factors: usize;
}

export const UPDATE_COMPRESSED: i32 = 51;
/** The same with X^T compressed; `blocks` K-blocks a row, 0 for the batch's. */
@unmanaged
export class UpdateCompressed extends Operation {
  width: i32;
  I: i32;
  O: i32;
  blocks: i32;
  starts: usize;
  b: usize;
  kind: i32;
  w: usize;
  m: usize;
  v: usize;
  factors: usize;
}

export const STEP: i32 = 52;
/** The step of `count` parameters with stored gradients g. */
@unmanaged
export class Step extends Operation {
  kind: i32;
  count: i32;
  w: usize;
  g: usize;
  m: usize;
  v: usize;
  factors: usize;
}

export const SQUARED_NORM: i32 = 53;
/** Partial sums of the squares of g, one f64 a chunk. */
@unmanaged
export class SquaredNorm extends Operation {
  count: i32;
  g: usize;
  partials: usize;
}

export const CLIP: i32 = 54;
/** g times min(1, limit / (norm + 1e-6)), the norm from its partial sums. */
@unmanaged
export class Clip extends Operation {
  count: i32;
  g: usize;
  partials: usize;
  limit: f32;
}

export const AVERAGE: i32 = 55;
/** average += weight (w - average), the weight a splatted vector at `factor`. */
@unmanaged
export class Average extends Operation {
  count: i32;
  w: usize;
  average: usize;
  factor: usize;
}
