import { type Core, Network, TreadleError } from '#bindings';
import { classificationScores } from '../metrics/classification.js';
import {
  classifierModel,
  fromBlocks,
  type LabelledImages,
  type NetworkTensors,
} from '../model/classifier.js';
import { confusionOf } from '../model/evaluation.js';
import type { TestRecord } from '../results/records.js';
import type { DataShape } from './jobs.js';

/** A network's tensors with the widths they have, as a weights file holds them. */
export interface StoredNetwork {
  tensors: NetworkTensors;
  inputs: number;
  hidden: number[];
  classes: number;
}

/** A network with the stored weights that only predicts; dispose of it. */
export function inferenceNetwork(core: Core, { inputs, hidden, classes, tensors }: StoredNetwork): Network {
  const model = classifierModel({ inputs, hidden, classes, dropout: 0 });
  const network = new Network(core, model);
  network.setTensors(fromBlocks(model, tensors));
  return network;
}

/**
 * Tests stored weights on all samples of `data`. `file` is named in errors.
 * Throws `shape` when the network does not take such images or does not have as many classes.
 */
export function evaluateTensors(
  core: Core,
  stored: StoredNetwork,
  shape: DataShape,
  { images, labels }: LabelledImages,
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
  const network = inferenceNetwork(core, stored);
  try {
    const { loss, predicted } = network.evaluateOn({ inputs: images, targets: labels });
    const confusion = confusionOf(labels, predicted!, shape.classes);
    const { accuracy, macro } = classificationScores(confusion);
    return { accuracy, precision: macro.precision, recall: macro.recall, macroF1: macro.f1, loss, confusion };
  } finally {
    network.dispose();
  }
}
