import { Batch } from '../abi/batch';
import {
  CROSS_ENTROPY_BACKWARD,
  CrossEntropyBackward,
  REGRESSION,
  REGRESSION_BACKWARD,
  Regression,
  RegressionBackward,
  SIGMOID,
  SIGMOID_BACKWARD,
  SOFTMAX,
  Sigmoid,
  SigmoidBackward,
  Softmax,
} from '../abi/operations';
import { binaryCrossEntropyBackward, sigmoidForward } from '../loss/sigmoid';
import { crossEntropyBackward, softmaxForward } from '../loss/softmax';
import { squaredBackward, squaredForward } from '../loss/squared';
import { shareStart } from '../par/range';

/** Operations that turn logits into probabilities and losses, and back into gradients. */
export function runHead(opcode: i32, record: usize, batch: Batch, thread: i32, threads: i32): void {
  const rows = batch.rows;
  const from = shareStart(rows, thread, threads);
  const to = shareStart(rows, thread + 1, threads);
  const order = batch.order;
  const targets = batch.targets;
  switch (opcode) {
    case SOFTMAX: {
      const r = changetype<Softmax>(record);
      softmaxForward(r.C, r.ld, r.x, r.p, targets, order, r.smoothing, r.predicted, r.losses, from, to);
      break;
    }
    case CROSS_ENTROPY_BACKWARD: {
      const r = changetype<CrossEntropyBackward>(record);
      crossEntropyBackward(r.C, r.ld, r.p, targets, order, batch.weights, batch.inverse, r.smoothing, from, to);
      break;
    }
    case SIGMOID: {
      const r = changetype<Sigmoid>(record);
      sigmoidForward(r.C, r.ld, r.x, r.p, targets, order, r.losses, from, to);
      break;
    }
    case SIGMOID_BACKWARD: {
      const r = changetype<SigmoidBackward>(record);
      binaryCrossEntropyBackward(r.C, r.ld, r.p, targets, order, batch.weights, batch.inverse, from, to);
      break;
    }
    case REGRESSION: {
      const r = changetype<Regression>(record);
      squaredForward(r.kind, r.delta, r.C, r.ld, r.x, r.p, targets, order, r.losses, from, to);
      break;
    }
    case REGRESSION_BACKWARD: {
      const r = changetype<RegressionBackward>(record);
      squaredBackward(
        r.kind,
        r.delta,
        r.C,
        r.ld,
        r.p,
        targets,
        order,
        batch.weights,
        batch.inverse,
        from,
        to,
      );
      break;
    }
    default:
      unreachable();
  }
}
