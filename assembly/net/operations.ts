import { gemm } from '../gemm/gemm';
import { packB, packColumns, packRows, packTransposedB } from '../gemm/pack';
import { scalePanels } from '../gemm/repack';
import { isTileHeight } from '../gemm/tile';
import { PANEL } from '../layout/panel';
import { ROWS_F32, ROWS_RELU, ROWS_U8 } from '../layout/rows';
import { crossEntropyBackward, softmaxForward, tally } from '../loss/softmax';
import {
  BatchNormVectors,
  STRIP,
  batchNormReluDropoutBackward,
  batchNormReluDropoutForward,
  foldBatchNorm,
} from '../nn/batchnorm';
import { biasGradient } from '../nn/dense';
import { adam } from '../optim/adam';
import { updateCompressed, updateDense } from '../optim/update';
import { shareStart } from '../par/range';
import { K_BLOCK, compressColumns, compressRows } from '../sparse/compress';
import { sddmm } from '../sparse/sddmm';
import { spmm } from '../sparse/spmm';
import {
  SCRATCH_BYTES,
  STATE_ADAM_FACTORS,
  STATE_KEY0,
  STATE_KEY1,
  STATE_LOSS,
  STATE_NORM_EPSILON,
  STATE_NORM_MOMENTUM,
  STATE_ORDER,
  STATE_ROWS,
  STATE_SCRATCH,
  STATE_STEP,
  STATE_ZEROS,
} from './state';

// The operations of the layer program. A record is RECORD_BYTES long: opcode, 1 if a barrier follows, then the
// arguments in the order given beside each opcode. A dimension of 0 stands for the rows of the batch. Addresses
// are bytes; strides are bytes; ld is in elements. Each operation does this thread's share of its outputs.

export const RECORD_BYTES: i32 = 64;

/** End of the program. */
export const OP_END: i32 = 0;
/** mr, K, images, out */
export const OP_GATHER_A: i32 = 1;
/** mr, M, images, out */
export const OP_GATHER_TRANSPOSED_A: i32 = 2;
/** mr, K, source, stride, out */
export const OP_PACK_A: i32 = 3;
/** mr, K, source, stride, out */
export const OP_PACK_RELU_A: i32 = 4;
/** mr, M, source, stride, out */
export const OP_PACK_TRANSPOSED_A: i32 = 5;
/** K, N, source, stride, out */
export const OP_PACK_B: i32 = 6;
/** N, K, source, stride, out */
export const OP_PACK_TRANSPOSED_B: i32 = 7;
/** mr, M, N, K, a, b, init, c, cStride */
export const OP_GEMM: i32 = 8;
/** z, out, ld, vectors, keepBelow, keepScale (f32), layer, columns */
export const OP_NORM_FORWARD: i32 = 9;
/** z, out, d, ld, vectors, dgamma, dbeta, keepScale (f32), columns */
export const OP_NORM_BACKWARD: i32 = 10;
/** bias, columns, vectors, scale, folded */
export const OP_FOLD_NORM: i32 = 11;
/** C, ld, x, p, labels, predicted, loss */
export const OP_SOFTMAX: i32 = 12;
/** ld, p, labels */
export const OP_CROSS_ENTROPY_BACKWARD: i32 = 13;
/** ld, dz, db */
export const OP_BIAS_GRADIENT: i32 = 14;
/** C, labels, predicted, loss, confusion */
export const OP_TALLY: i32 = 15;
/** count, w, g, m, v */
export const OP_ADAM: i32 = 16;
/** K, source, stride, entries, starts */
export const OP_COMPRESS_ROWS: i32 = 17;
/** M, source, stride, entries, starts */
export const OP_COMPRESS_COLUMNS: i32 = 18;
/** K, images, entries, starts */
export const OP_COMPRESS_PIXEL_ROWS: i32 = 19;
/** M, images, entries, starts */
export const OP_COMPRESS_PIXEL_COLUMNS: i32 = 20;
/** width, N, K, starts, b, init, c, cStride */
export const OP_SPMM: i32 = 21;
/** mr, I, O, a, b, w, m, v */
export const OP_UPDATE_DENSE: i32 = 22;
/** width, I, O, starts, b, w, m, v */
export const OP_UPDATE_COMPRESSED: i32 = 23;
/** K, N, source, scale, out */
export const OP_SCALE_PANELS: i32 = 24;
/** width, N, K, starts, d, dStride, b, dx, xStride */
export const OP_SDDMM: i32 = 25;

/** Parameters that one thread's share of Adam is a multiple of. */
const ADAM_UNIT: i32 = 16;

// @ts-ignore: decorator
@inline
function arg(record: usize, index: i32): i32 {
  return load<i32>(record + (<usize>index << 2), 8);
}

// @ts-ignore: decorator
@inline
function address(record: usize, index: i32): usize {
  return load<u32>(record + (<usize>index << 2), 8);
}

// @ts-ignore: decorator
@inline
function panels(count: i32, size: i32): i32 {
  return (count + size - 1) / size;
}

/** Runs thread `thread`'s share of one operation. */
export function runOperation(state: usize, record: usize, thread: i32, threads: i32): void {
  const rows = load<i32>(state + STATE_ROWS);
  const order = <usize>load<u32>(state + STATE_ORDER);
  const zeros = <usize>load<u32>(state + STATE_ZEROS);
  switch (load<i32>(record)) {
    case OP_GATHER_A:
    case OP_PACK_A:
    case OP_PACK_RELU_A: {
      const mr = arg(record, 0);
      assert(isTileHeight(mr));
      const count = panels(rows, mr);
      const from = shareStart(count, thread, threads);
      const to = shareStart(count, thread + 1, threads);
      const K = arg(record, 1);
      const source = address(record, 2);
      const opcode = load<i32>(record);
      if (opcode == OP_GATHER_A) {
        packRows(ROWS_U8, mr, rows, K, source, K, order, zeros, address(record, 3), from, to);
      } else {
        const kind = opcode == OP_PACK_A ? ROWS_F32 : ROWS_RELU;
        packRows(kind, mr, rows, K, source, address(record, 3), 0, zeros, address(record, 4), from, to);
      }
      break;
    }
    case OP_GATHER_TRANSPOSED_A:
    case OP_PACK_TRANSPOSED_A: {
      const mr = arg(record, 0);
      assert(isTileHeight(mr));
      const M = arg(record, 1);
      const count = panels(M, mr);
      const from = shareStart(count, thread, threads);
      const to = shareStart(count, thread + 1, threads);
      const source = address(record, 2);
      if (load<i32>(record) == OP_GATHER_TRANSPOSED_A) {
        packColumns(ROWS_U8, mr, M, rows, source, M, order, address(record, 3), from, to);
      } else {
        packColumns(ROWS_F32, mr, M, rows, source, address(record, 3), 0, address(record, 4), from, to);
      }
      break;
    }
    case OP_PACK_B: {
      const count = panels(arg(record, 1), PANEL);
      packB(
        arg(record, 0) || rows,
        address(record, 2),
        address(record, 3),
        address(record, 4),
        shareStart(count, thread, threads),
        shareStart(count, thread + 1, threads),
      );
      break;
    }
    case OP_SCALE_PANELS: {
      const count = panels(arg(record, 1), PANEL);
      scalePanels(
        arg(record, 0),
        address(record, 2),
        address(record, 3),
        address(record, 4),
        shareStart(count, thread, threads),
        shareStart(count, thread + 1, threads),
      );
      break;
    }
    case OP_PACK_TRANSPOSED_B: {
      const N = arg(record, 0);
      const count = panels(N, PANEL);
      packTransposedB(
        N,
        arg(record, 1),
        address(record, 2),
        address(record, 3),
        zeros,
        address(record, 4),
        shareStart(count, thread, threads),
        shareStart(count, thread + 1, threads),
      );
      break;
    }
    case OP_GEMM: {
      assert(isTileHeight(arg(record, 0)));
      gemm(
        arg(record, 0),
        arg(record, 1) || rows,
        arg(record, 2),
        arg(record, 3) || rows,
        address(record, 4),
        address(record, 5),
        address(record, 6),
        address(record, 7),
        address(record, 8),
        thread,
        threads,
      );
      break;
    }
    case OP_NORM_FORWARD: {
      const ld = arg(record, 2);
      const strips = arg(record, 7) / STRIP;
      assert(ld % STRIP == 0 && rows >= 2);
      batchNormReluDropoutForward(
        rows,
        address(record, 0),
        address(record, 1),
        ld,
        changetype<BatchNormVectors>(address(record, 3)),
        <f32>load<f64>(state + STATE_NORM_EPSILON),
        load<f64>(state + STATE_NORM_MOMENTUM),
        arg(record, 4),
        load<f32>(record, 8 + 5 * 4),
        load<i32>(state + STATE_STEP),
        arg(record, 6),
        load<u32>(state + STATE_KEY0),
        load<u32>(state + STATE_KEY1),
        state + STATE_SCRATCH + thread * SCRATCH_BYTES,
        shareStart(strips, thread, threads),
        shareStart(strips, thread + 1, threads),
      );
      break;
    }
    case OP_NORM_BACKWARD: {
      const ld = arg(record, 3);
      const strips = arg(record, 8) / STRIP;
      assert(ld % STRIP == 0);
      batchNormReluDropoutBackward(
        rows,
        address(record, 0),
        address(record, 1),
        address(record, 2),
        ld,
        changetype<BatchNormVectors>(address(record, 4)),
        address(record, 5),
        address(record, 6),
        load<f32>(record, 8 + 7 * 4),
        shareStart(strips, thread, threads),
        shareStart(strips, thread + 1, threads),
      );
      break;
    }
    case OP_FOLD_NORM: {
      if (thread == 0) {
        foldBatchNorm(
          address(record, 0),
          arg(record, 1),
          changetype<BatchNormVectors>(address(record, 2)),
          <f32>load<f64>(state + STATE_NORM_EPSILON),
          address(record, 3),
          address(record, 4),
        );
      }
      break;
    }
    case OP_SOFTMAX: {
      softmaxForward(
        arg(record, 0),
        arg(record, 1),
        address(record, 2),
        address(record, 3),
        address(record, 4),
        order,
        0,
        address(record, 5),
        address(record, 6),
        shareStart(rows, thread, threads),
        shareStart(rows, thread + 1, threads),
      );
      break;
    }
    case OP_CROSS_ENTROPY_BACKWARD: {
      crossEntropyBackward(
        arg(record, 0),
        arg(record, 0),
        address(record, 1),
        address(record, 2),
        order,
        0,
        <f32>1 / <f32>rows,
        0,
        shareStart(rows, thread, threads),
        shareStart(rows, thread + 1, threads),
      );
      break;
    }
    case OP_BIAS_GRADIENT: {
      if (thread == 0) biasGradient(rows, address(record, 1), arg(record, 0), address(record, 2));
      break;
    }
    case OP_TALLY: {
      if (thread == 0) {
        const sum = tally(
          rows,
          arg(record, 0),
          address(record, 1),
          order,
          address(record, 2),
          address(record, 3),
          address(record, 4),
        );
        store<f64>(state + STATE_LOSS, sum);
      }
      break;
    }
    case OP_ADAM: {
      const units = arg(record, 0) / ADAM_UNIT;
      assert(arg(record, 0) % ADAM_UNIT == 0);
      const from = shareStart(units, thread, threads) * ADAM_UNIT;
      const offset = <usize>from << 2;
      adam(
        shareStart(units, thread + 1, threads) * ADAM_UNIT - from,
        address(record, 1) + offset,
        address(record, 2) + offset,
        address(record, 3) + offset,
        address(record, 4) + offset,
        state + STATE_ADAM_FACTORS,
      );
      break;
    }
    case OP_COMPRESS_ROWS: {
      compressRows(
        ROWS_F32,
        arg(record, 0),
        address(record, 1),
        address(record, 2),
        0,
        address(record, 3),
        address(record, 4),
        shareStart(rows, thread, threads),
        shareStart(rows, thread + 1, threads),
      );
      break;
    }
    case OP_COMPRESS_COLUMNS: {
      const groups = panels(arg(record, 0), 4);
      compressColumns(
        ROWS_F32,
        rows,
        address(record, 1),
        address(record, 2),
        0,
        address(record, 3),
        address(record, 4),
        shareStart(groups, thread, threads),
        shareStart(groups, thread + 1, threads),
      );
      break;
    }
    case OP_COMPRESS_PIXEL_ROWS: {
      compressRows(
        ROWS_U8,
        arg(record, 0),
        address(record, 1),
        arg(record, 0),
        order,
        address(record, 2),
        address(record, 3),
        shareStart(rows, thread, threads),
        shareStart(rows, thread + 1, threads),
      );
      break;
    }
    case OP_COMPRESS_PIXEL_COLUMNS: {
      const features = arg(record, 0);
      const groups = panels(features, 4);
      compressColumns(
        ROWS_U8,
        rows,
        address(record, 1),
        features,
        order,
        address(record, 2),
        address(record, 3),
        shareStart(groups, thread, threads),
        shareStart(groups, thread + 1, threads),
      );
      break;
    }
    case OP_SPMM: {
      spmm(
        arg(record, 0),
        rows,
        arg(record, 1),
        arg(record, 2),
        K_BLOCK,
        address(record, 3),
        address(record, 4),
        address(record, 5),
        address(record, 6),
        address(record, 7),
        thread,
        threads,
      );
      break;
    }
    case OP_UPDATE_DENSE: {
      updateDense(
        arg(record, 0),
        arg(record, 1),
        arg(record, 2),
        rows,
        address(record, 3),
        address(record, 4),
        zeros,
        address(record, 5),
        address(record, 6),
        address(record, 7),
        state + STATE_ADAM_FACTORS,
        state + STATE_SCRATCH + thread * SCRATCH_BYTES,
        thread,
        threads,
      );
      break;
    }
    case OP_UPDATE_COMPRESSED: {
      updateCompressed(
        arg(record, 0),
        arg(record, 1),
        arg(record, 2),
        rows,
        address(record, 3),
        address(record, 4),
        zeros,
        address(record, 5),
        address(record, 6),
        address(record, 7),
        state + STATE_ADAM_FACTORS,
        state + STATE_SCRATCH + thread * SCRATCH_BYTES,
        thread,
        threads,
      );
      break;
    }
    case OP_SDDMM: {
      sddmm(
        arg(record, 0),
        rows,
        arg(record, 1),
        arg(record, 2),
        address(record, 3),
        address(record, 4),
        address(record, 5),
        address(record, 6),
        address(record, 7),
        address(record, 8),
        zeros,
        state + STATE_SCRATCH + thread * SCRATCH_BYTES,
        thread,
        threads,
      );
      break;
    }
    default:
      unreachable();
  }
}
