import type { Core } from '#bindings';
import type { LabelledImages } from '../model/classifier.js';
import type { TestRecord } from '../results/records.js';
import {
  averagedProbabilities,
  expectShape,
  inferenceNetwork,
  predictionsOf,
  type StoredNetwork,
  type TestShape,
  testOf,
} from './evaluate.js';

/** A model of an ensemble, and the file that it is from. */
export interface Member extends StoredNetwork {
  file: string;
}

/** What the mean probabilities of several models come to, and each of them. */
export interface EnsembleTest {
  result: TestRecord;
  members: { file: string; accuracy: number }[];
  /** Share of the images of which all members say the same. */
  agreement: number;
}

/**
 * Tests the mean of the members' probabilities on all samples. Throws `shape` for a member that does not take such images,
 * or does not have as many classes.
 */
export function testEnsemble(
  core: Core,
  members: readonly Member[],
  shape: TestShape,
  { images, labels }: LabelledImages,
): EnsembleTest {
  for (const member of members) expectShape(member, shape, member.file);
  const sum = new Float64Array(labels.length * shape.classes);
  const agree = new Uint8Array(labels.length).fill(1);
  let first: Uint32Array | null = null;
  const tested = members.map((member) => {
    const network = inferenceNetwork(core, member);
    const probabilities = averagedProbabilities(network, images, shape);
    network.dispose();
    probabilities.forEach((value, at) => {
      sum[at]! += value;
    });
    const predicted = predictionsOf(probabilities, shape.classes);
    first ??= predicted;
    const other = first;
    predicted.forEach((label, row) => {
      if (label !== other[row]) agree[row] = 0;
    });
    return { file: member.file, accuracy: testOf(probabilities, labels, shape.classes).accuracy };
  });
  const mean = sum.map((value) => value / members.length);
  const agreement = agree.reduce((count, same) => count + same, 0) / labels.length;
  return { result: testOf(mean, labels, shape.classes), members: tested, agreement };
}
