import type { Job } from '../records.js';
import { rateText } from '../report/format.js';

/** A job in words, for messages. */
export function jobTitle(job: Pick<Job, 'model' | 'learningRate'>): string {
  return `Model ${job.model} at learning rate ${rateText(job.learningRate)}`;
}
