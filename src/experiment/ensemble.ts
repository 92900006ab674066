import type { AbortSignalLike, Core, Network } from '#bindings';
import { sharedSamples } from '../data/shared.js';
import type { LabelledImages } from '../model/classifier.js';
import type { TestRecord } from '../results/records.js';
import { onAbort } from '../strict/abort.js';
import {
  averagedProbabilities,
  expectShape,
  inferenceNetwork,
  predictionsOf,
  type StoredNetwork,
  type TestShape,
  testOf,
} from './evaluate.js';
import { fromErrorRecord, type WorkerMessage } from './messages.js';
import { startWorker, workerError } from './threads.js';

/** A model of an ensemble, and the file that it is from. */
export interface Member extends StoredNetwork {
  file: string;
}

/** What the mean probabilities of several models come to, and each of them. */
export interface EnsembleTest {
  result: TestRecord;
  /** Those whose mean was tested, in the order given. */
  members: { file: string; accuracy: number }[];
  /** Share of the images of which all members say the same. */
  agreement: number;
  /** Accuracy of the mean on the samples that it was chosen by; null where all models are members. */
  chosenBy: number | null;
}

/**
 * Tests the mean of the members' probabilities on all samples. With `choice`, samples that no member was trained on, the
 * ensemble is of so many of the first members as have the highest accuracy there together, ties to the fewer. Throws `shape`
 * for a member that does not take such images, or does not have as many classes.
 */
export function testEnsemble(
  core: Core,
  members: readonly Member[],
  shape: TestShape,
  data: LabelledImages,
  choice: LabelledImages | null = null,
): EnsembleTest {
  for (const member of members) expectShape(member, shape, member.file);
  const running = {
    test: newMean(data.labels.length, shape.classes),
    agree: agreementOf(data.labels.length),
  };
  const chosenMean = choice && newMean(choice.labels.length, shape.classes);
  const tested: EnsembleTest['members'] = [];
  let best: EnsembleTest | null = null;
  for (const member of members) {
    const network = inferenceNetwork(core, member);
    const probabilities = averagedProbabilities(network, data.images, shape);
    const chosenBy =
      choice &&
      testOf(
        chosenMean!.add(averagedProbabilities(network, choice.images, shape)),
        choice.labels,
        shape.classes,
      ).accuracy;
    network.dispose();
    tested.push({ file: member.file, accuracy: testOf(probabilities, data.labels, shape.classes).accuracy });
    const mean = running.test.add(probabilities);
    const agreement = running.agree(predictionsOf(probabilities, shape.classes));
    if (best === null || chosenBy === null || chosenBy > best.chosenBy!) {
      const result = testOf(mean, data.labels, shape.classes);
      best = { result, members: [...tested], agreement, chosenBy };
    }
  }
  return best!;
}

/** Mean probabilities of several networks, each averaged as the shape says: (images, classes), row-major. */
export function meanProbabilities(
  networks: Iterable<Network>,
  images: Uint8Array,
  shape: Pick<TestShape, 'average' | 'imageWidth' | 'inputs' | 'classes'>,
): Float64Array {
  const mean = newMean(images.length / shape.inputs, shape.classes);
  let result: Float64Array = new Float64Array();
  for (const network of networks) result = mean.add(averagedProbabilities(network, images, shape));
  return result;
}

/** The mean of probabilities that are added one after another. */
function newMean(rows: number, classes: number) {
  const sum = new Float64Array(rows * classes);
  let count = 0;
  return {
    add(probabilities: Float32Array): Float64Array {
      count++;
      for (const [at, value] of probabilities.entries()) sum[at]! += value;
      return sum.map((value) => value / count);
    },
  };
}

/** The share of the rows whose predictions have been the same in every call so far. */
function agreementOf(rows: number): (predicted: Uint32Array) => number {
  const same = new Uint8Array(rows).fill(1);
  let first: Uint32Array | null = null;
  return (predicted) => {
    first ??= predicted;
    for (const [row, label] of predicted.entries()) if (label !== first[row]) same[row] = 0;
    return same.reduce((count, one) => count + one, 0) / rows;
  };
}

/** What an ensemble of files is tested with. */
export interface EnsembleFilesOptions {
  core: Core;
  shape: TestShape;
  data: LabelledImages;
  /** As of {@link testEnsemble}. */
  choice?: LabelledImages | null;
  signal?: AbortSignalLike | undefined;
}

/**
 * Tests weights files as one, in a thread: {@link testEnsemble}. Rejects with what it and reading the files throw, with
 * `interrupted` when the signal aborts, and with `worker` when the thread dies.
 */
export async function testEnsembleFiles(
  files: readonly string[],
  { core, shape, data, choice = null, signal }: EnsembleFilesOptions,
): Promise<EnsembleTest> {
  const worker = startWorker({
    role: 'ensemble',
    core,
    files: [...files],
    shape,
    data: sharedSamples(data),
    choice: choice && sharedSamples(choice),
  });
  let stopListening = (): void => {};
  try {
    return await new Promise<EnsembleTest>((resolve, reject) => {
      stopListening = onAbort(signal, reject);
      worker.on('message', (message: WorkerMessage) => {
        if (message.type === 'ensemble') resolve(message.result);
        else if (message.type === 'failed') reject(fromErrorRecord(message.error));
      });
      worker.on('error', (error) => reject(workerError('The test of the ensemble', error)));
      worker.on('exit', (code) => reject(workerError('The test of the ensemble', code)));
    });
  } finally {
    stopListening();
    await worker.terminate();
  }
}
