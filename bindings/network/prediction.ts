import { outputsOf } from '../model/layers.js';
import type { NetworkContext } from './context.js';
import type { Inference } from './inference.js';
import { checkInputs, type Inputs } from './samples.js';

/** Outputs of samples that are not resident, (rows, outputs). Throws as Network's predict(). */
export function predict(context: NetworkContext, inference: Inference, inputs: Inputs): Float32Array {
  context.expectInUse();
  const { model } = context;
  const rows = checkInputs('inputs', inputs, model);
  const result = new Float32Array(rows * outputsOf(model));
  inference.overSamples(inputs, null, rows, (first, taken) => inference.readOutputs(result, first, taken));
  return result;
}
