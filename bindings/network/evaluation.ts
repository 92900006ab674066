import { rangeError } from '../errors/checks.js';
import { outputsOf } from '../model/layers.js';
import type { NetworkContext } from './context.js';
import type { Inference, Take } from './inference.js';
import { checkInputs, checkTargets, checkWeights, expectOrder, type Samples } from './samples.js';
import type { SampleSets } from './sets.js';

/** What an evaluation finds. */
export interface NetworkEvaluation {
  /** Mean loss per sample, weighted where samples have weights. */
  loss: number;
  /** The predicted class of each row; cross-entropy only. */
  predicted: Int32Array | null;
  /** Probabilities or predictions, (rows, outputs), where they were asked for. */
  outputs: Float32Array | null;
}

/** Evaluates rows of a resident set. Throws as Network's evaluate(). */
export function evaluateSet(
  context: NetworkContext,
  inference: Inference,
  sets: SampleSets,
  index: number,
  order: Uint32Array,
  withOutputs: boolean,
): NetworkEvaluation {
  const { plan, loaded } = sets.withTargets(index);
  expectOrder('order', order, loaded.rows);
  const weights = loaded.weighted ? context.memory.f32(plan.weights) : null;
  const weightOf = weights && ((row: number) => weights[order[row]!]!);
  return evaluate(context, inference, order.length, withOutputs, weightOf, (take) =>
    inference.overSet(plan, order, take),
  );
}

/** Evaluates samples that are not resident. Throws as Network's evaluateOn(). */
export function evaluateSamples(
  context: NetworkContext,
  inference: Inference,
  { inputs, targets, weights }: Samples,
  withOutputs: boolean,
): NetworkEvaluation {
  context.expectInUse();
  const { model, loss } = context;
  const rows = checkInputs('inputs', inputs, model);
  checkTargets('targets', targets, rows, model, loss);
  if (weights !== undefined) checkWeights('weights', weights, rows);
  const weightOf = weights === undefined ? null : (row: number) => weights[row]!;
  return evaluate(context, inference, rows, withOutputs, weightOf, (take) =>
    inference.overSamples(inputs, targets!, rows, take),
  );
}

/** Sums up what `run` leaves of `count` rows; `weightOf` says how much each counts, null: all the same. */
function evaluate(
  { memory, model, head }: NetworkContext,
  inference: Inference,
  count: number,
  withOutputs: boolean,
  weightOf: ((row: number) => number) | null,
  run: (take: Take) => void,
): NetworkEvaluation {
  if (count === 0) throw rangeError('The number of rows', 0, 'at least one');
  const { output } = memory.plan;
  const predicted = head === 'softmax' ? new Int32Array(count) : null;
  const outputs = withOutputs ? new Float32Array(count * outputsOf(model)) : null;
  let sum = 0;
  let total = 0;
  run((first, rows) => {
    const losses = memory.f32(output.losses);
    // Batch by batch, as training sums.
    let ofBatch = 0;
    for (let b = 0; b < rows; b++) {
      const weight = weightOf === null ? 1 : weightOf(first + b);
      ofBatch += weightOf === null ? losses[b]! : weight * losses[b]!;
      total += weight;
    }
    sum += ofBatch;
    predicted?.set(memory.i32(output.predicted).subarray(0, rows), first);
    if (outputs !== null) inference.readOutputs(outputs, first, rows);
  });
  return { loss: total === 0 ? 0 : sum / total, predicted, outputs };
}
