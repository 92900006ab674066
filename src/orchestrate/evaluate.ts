import { type Engine, Network, type NetworkTensors, type Samples, TreadleError } from '#bindings';
import { classificationScores } from '../metrics/classification.js';
import type { TestRecord } from '../records.js';
import type { DataShape } from './plan.js';

/** Rows that a network takes at once when nothing is trained. */
export const EVALUATION_ROWS = 256;

/** A network's tensors with the widths they have, as a weights file holds them. */
export interface StoredNetwork {
  tensors: NetworkTensors;
  inputs: number;
  hidden: number[];
  classes: number;
}

/** A network over `data` with the stored weights, for inference; dispose of it. */
export function inferenceNetwork(engine: Engine, stored: StoredNetwork, data: Samples): Network {
  const { inputs, hidden, classes, tensors } = stored;
  const network = new Network(
    engine,
    { inputs, hidden, classes, dropout: 0 },
    { seed: 0, batchSize: EVALUATION_ROWS, data },
  );
  network.importTensors(tensors);
  return network;
}

/**
 * Tests stored weights on all samples of `data`. `file` is named in errors.
 * Throws `shape` when the network does not take such images or does not have as many classes.
 */
export function evaluateTensors(
  engine: Engine,
  stored: StoredNetwork,
  shape: DataShape,
  data: Samples,
  file: string,
): TestRecord {
  if (stored.inputs !== shape.inputs || stored.classes !== shape.classes) {
    const found = `${stored.inputs} inputs and ${stored.classes} classes`;
    const expected = `${shape.inputs} inputs and ${shape.classes} classes`;
    throw new TreadleError('shape', `${file} has ${found}; ${expected} are expected, as the dataset has.`, {
      subject: file,
      found,
      expected,
    });
  }
  const network = inferenceNetwork(engine, stored, data);
  try {
    const all = Uint32Array.from(data.labels, (_, index) => index);
    const { loss, confusion } = network.evaluate(all);
    const { accuracy, macro } = classificationScores(confusion);
    return { accuracy, precision: macro.precision, recall: macro.recall, macroF1: macro.f1, loss, confusion };
  } finally {
    network.dispose();
  }
}
