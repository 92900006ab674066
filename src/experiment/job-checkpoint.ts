import { checkpointParts, readCheckpoint } from '../formats/checkpoint-bytes.js';
import { formatError } from '../formats/tensor.js';
import { classifierModel } from '../model/classifier.js';
import { CLASSIFIER_FIGURES } from '../results/epochs.js';
import type { Job } from '../results/records.js';
import type { Checkpoint } from '../train/loop.js';

/** A job's checkpoint as a safetensors file, in parts that follow one another. Equal checkpoints give equal bytes. */
export function encodeJobCheckpoint(job: Job, checkpoint: Checkpoint): Uint8Array[] {
  return checkpointParts(job, classifierModel(job.spec), new Map(), checkpoint);
}

/**
 * The checkpoint in a file's bytes. Throws `format` errors that begin with `source` for bytes that are none, and for
 * one of another job than the given.
 */
export function decodeJobCheckpoint(bytes: Uint8Array, job: Job, source: string): Checkpoint {
  const { training } = readCheckpoint(bytes, source, (of) => {
    if (JSON.stringify(of) !== JSON.stringify(job)) {
      throw formatError(source, `it is a checkpoint of ${JSON.stringify(of)}`, JSON.stringify(job));
    }
    return classifierModel(job.spec);
  });
  const { epochs, stopped } = training;
  const done = epochs.length;
  if (done > job.epochs || (done === job.epochs && stopped !== null)) {
    throw formatError(source, `it is in epoch ${done + 1}`, `an epoch up to ${job.epochs}`);
  }
  for (const figures of epochs) {
    const missing = CLASSIFIER_FIGURES.find(({ name }) => figures[name] === undefined);
    if (missing !== undefined) {
      throw formatError(source, `epoch ${figures.epoch} has no ${missing.name}`, "a checkpoint's record");
    }
  }
  return training;
}
