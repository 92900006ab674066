import { Batch } from '../abi/batch';
import {
  AVERAGE,
  Average,
  CLIP,
  Clip,
  SQUARED_NORM,
  STEP,
  SquaredNorm,
  Step,
  UPDATE_COMPRESSED,
  UPDATE_DENSE,
  UpdateCompressed,
  UpdateDense,
} from '../abi/operations';
import { average } from '../optim/average';
import { clip, squaredNorm } from '../optim/clip';
import { step } from '../optim/step';
import { updateCompressed, updateDense } from '../optim/update';
import { shareStart } from '../par/range';
import { blocksOf } from '../sparse/compress';
import { scratchOf } from './scratch';

/** Work on parameters is split between threads in units of this many. */
const UNIT: i32 = 16;

/** Operations that step parameters. */
export function runUpdate(opcode: i32, record: usize, batch: Batch, thread: i32, threads: i32): void {
  const rows = batch.rows;
  const zeros = batch.zeros;
  const scratch = scratchOf(batch, thread);
  switch (opcode) {
    case UPDATE_DENSE: {
      const r = changetype<UpdateDense>(record);
      updateDense(
        r.height,
        r.I,
        r.O,
        rows,
        r.a,
        r.b,
        zeros,
        r.kind,
        r.w,
        r.m,
        r.v,
        r.factors,
        scratch,
        thread,
        threads,
      );
      break;
    }
    case UPDATE_COMPRESSED: {
      const r = changetype<UpdateCompressed>(record);
      updateCompressed(
        r.width,
        r.I,
        r.O,
        rows,
        r.blocks || blocksOf(rows),
        r.starts,
        r.b,
        zeros,
        r.kind,
        r.w,
        r.m,
        r.v,
        r.factors,
        scratch,
        thread,
        threads,
      );
      break;
    }
    case STEP: {
      const r = changetype<Step>(record);
      const from = first(r.count, thread, threads);
      const at = <usize>from << 2;
      step(r.kind, first(r.count, thread + 1, threads) - from, r.w + at, r.g + at, r.m + at, r.v + at, r.factors);
      break;
    }
    case SQUARED_NORM: {
      const r = changetype<SquaredNorm>(record);
      squaredNorm(r.count, r.g, r.partials, thread, threads);
      break;
    }
    case CLIP: {
      const r = changetype<Clip>(record);
      clip(r.count, r.g, r.partials, r.limit, thread, threads);
      break;
    }
    case AVERAGE: {
      const r = changetype<Average>(record);
      const from = first(r.count, thread, threads);
      const at = <usize>from << 2;
      average(first(r.count, thread + 1, threads) - from, r.w + at, r.average + at, r.factor);
      break;
    }
    default:
      unreachable();
  }
}

/** The first parameter of a thread's share. */
// @ts-ignore: decorator
@inline
function first(count: i32, thread: i32, threads: i32): i32 {
  assert(count % UNIT == 0);
  return shareStart(count / UNIT, thread, threads) * UNIT;
}
