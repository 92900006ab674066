import type { Job } from '../records.js';

/** A job in words, for messages. */
export function jobTitle(job: Pick<Job, 'model' | 'learningRate'>): string {
  return `Model ${job.model} at learning rate ${job.learningRate}`;
}
