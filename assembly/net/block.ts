import { Batch } from '../abi/batch';
import {
  ACTIVATE,
  Activate,
  BIAS_GRADIENT,
  BLOCK_BACKWARD,
  BLOCK_FORWARD,
  BiasGradient,
  BlockBackward,
  BlockForward,
  FOLD_NORM,
  FoldNorm,
} from '../abi/operations';
import { activate } from '../nn/activation';
import { STRIP, blockBackward, blockForward } from '../nn/block';
import { biasGradient } from '../nn/dense';
import { Dropout } from '../nn/dropout';
import { foldBatchNorm } from '../nn/fold';
import { BatchNormVectors } from '../nn/norm';
import { shareStart } from '../par/range';
import { scratchOf } from './scratch';

/** Operations on a block's activations. */
export function runBlock(opcode: i32, record: usize, batch: Batch, thread: i32, threads: i32): void {
  const rows = batch.rows;
  switch (opcode) {
    case BLOCK_FORWARD: {
      const r = changetype<BlockForward>(record);
      const strips = r.columns / STRIP;
      const own = batch.momentum < 0;
      blockForward(
        rows,
        r.z,
        r.out,
        r.ld,
        r.width,
        changetype<BatchNormVectors>(r.norm),
        r.epsilon,
        own ? r.momentum : batch.momentum,
        own ? r.carry : batch.carry,
        r.frozen != 0,
        r.kind,
        r.slope,
        dropoutOf(r.keepBelow, r.keepScale, r.layer, batch, thread),
        shareStart(strips, thread, threads),
        shareStart(strips, thread + 1, threads),
      );
      break;
    }
    case BLOCK_BACKWARD: {
      const r = changetype<BlockBackward>(record);
      const strips = r.columns / STRIP;
      blockBackward(
        rows,
        r.z,
        r.out,
        r.d,
        r.ld,
        r.width,
        changetype<BatchNormVectors>(r.norm),
        r.dgamma,
        r.dbeta,
        r.frozen != 0,
        r.kind,
        r.slope,
        dropoutOf(r.keepBelow, r.keepScale, r.layer, batch, thread),
        shareStart(strips, thread, threads),
        shareStart(strips, thread + 1, threads),
      );
      break;
    }
    case FOLD_NORM: {
      const r = changetype<FoldNorm>(record);
      const vectors = changetype<BatchNormVectors>(r.norm);
      if (thread == 0) foldBatchNorm(r.bias, r.columns, vectors, r.epsilon, r.scale, r.folded);
      break;
    }
    case ACTIVATE: {
      const r = changetype<Activate>(record);
      const from = shareStart(rows, thread, threads);
      const count = (shareStart(rows, thread + 1, threads) - from) * r.ld;
      const offset = <usize>(from * r.ld) << 2;
      activate(r.kind, r.slope, count, r.source + offset, r.out + offset);
      break;
    }
    case BIAS_GRADIENT: {
      const r = changetype<BiasGradient>(record);
      if (thread == 0) biasGradient(rows, r.dz, r.ld, r.db);
      break;
    }
    default:
      unreachable();
  }
}

/** A block's dropout in this step, in the calling thread's scratch. */
function dropoutOf(keepBelow: i32, keepScale: f32, layer: i32, batch: Batch, thread: i32): Dropout {
  const dropout = changetype<Dropout>(scratchOf(batch, thread));
  dropout.keepBelow = keepBelow;
  dropout.keepScale = keepScale;
  dropout.step = batch.step;
  dropout.layer = layer;
  dropout.key0 = batch.key0;
  dropout.key1 = batch.key1;
  return dropout;
}
