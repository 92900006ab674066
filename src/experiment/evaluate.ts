import { type Core, expectWhole, Network, TreadleError } from '#bindings';
import { classificationScores } from '../metrics/classification.js';
import { logLoss } from '../metrics/ranking.js';
import {
  classifierModel,
  fromBlocks,
  type LabelledImages,
  type NetworkTensors,
} from '../model/classifier.js';
import { argmax, confusionOf } from '../model/evaluation.js';
import type { TestRecord } from '../results/records.js';
import type { DataShape } from './jobs.js';

/** What predictions are averaged over: nothing, or an image and its mirror image. */
export const AVERAGES = ['none', 'flip'] as const;
export type Average = (typeof AVERAGES)[number];

/** What a test is of: the data's shape, and what predictions are averaged over. */
export interface TestShape extends DataShape {
  average: Average;
}

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

/** Images of a width, left to right. Throws `range` for a width that is none of theirs. */
export function mirrored(images: Uint8Array, width: number): Uint8Array {
  expectWhole('imageWidth', width, 1);
  const result = new Uint8Array(images.length);
  for (let row = 0; row < images.length; row += width) {
    for (let column = 0; column < width; column++) result[row + column] = images[row + width - 1 - column]!;
  }
  return result;
}

/** Mean probabilities of a network over an image and what it is averaged over: (images, classes), row-major. */
export function averagedProbabilities(
  network: Network,
  images: Uint8Array,
  { average, imageWidth = 0 }: Pick<TestShape, 'average' | 'imageWidth'>,
): Float32Array {
  const probabilities = network.predict(images);
  if (average === 'none') return probabilities;
  const others = network.predict(mirrored(images, imageWidth));
  return probabilities.map((value, at) => (value + others[at]!) / 2);
}

/** The test that probabilities come to. The loss is the mean of -log p of the true class. */
export function testOf(
  probabilities: Float32Array | Float64Array,
  labels: Uint8Array,
  classes: number,
): TestRecord {
  const predicted = predictionsOf(probabilities, classes);
  return recordOf(confusionOf(labels, predicted, classes), logLoss(labels, probabilities, classes));
}

function recordOf(confusion: number[][], loss: number): TestRecord {
  const { accuracy, macro } = classificationScores(confusion);
  return { accuracy, precision: macro.precision, recall: macro.recall, macroF1: macro.f1, loss, confusion };
}

/** The most probable class of each row; the first of equals. */
export function predictionsOf(probabilities: Float32Array | Float64Array, classes: number): Uint32Array {
  return Uint32Array.from({ length: probabilities.length / classes }, (_, row) =>
    argmax(probabilities.subarray(row * classes, (row + 1) * classes)),
  );
}

/**
 * Tests stored weights on all samples of `data`. `file` is named in errors.
 * Throws `shape` when the network does not take such images or does not have as many classes.
 */
export function evaluateTensors(
  core: Core,
  stored: StoredNetwork,
  shape: TestShape,
  { images, labels }: LabelledImages,
  file: string,
): TestRecord {
  expectShape(stored, shape, file);
  const network = inferenceNetwork(core, stored);
  try {
    if (shape.average !== 'none')
      return testOf(averagedProbabilities(network, images, shape), labels, shape.classes);
    const { loss, predicted } = network.evaluateOn({ inputs: images, targets: labels });
    return recordOf(confusionOf(labels, predicted!, shape.classes), loss);
  } finally {
    network.dispose();
  }
}

/** Throws `shape` for a network that does not take such images, or does not have as many classes, as `owner` does. */
export function expectShape(
  stored: Pick<StoredNetwork, 'inputs' | 'classes'>,
  shape: Pick<DataShape, 'inputs' | 'classes'>,
  file: string,
  owner = 'the dataset',
): void {
  if (stored.inputs !== shape.inputs || stored.classes !== shape.classes) {
    const found = `${stored.inputs} inputs and ${stored.classes} classes`;
    const expected = `${shape.inputs} inputs and ${shape.classes} classes`;
    throw new TreadleError('shape', `${file} has ${found}; ${expected} are expected, as ${owner} has.`, {
      subject: file,
      found,
      expected,
    });
  }
}
