import { furtherTitle, rateText } from '../results/format.js';
import type { Job } from '../results/records.js';

/** A job in words, for messages. */
export function jobTitle(job: Pick<Job, 'model' | 'learningRate' | 'id'>): string {
  return `Model ${job.model} at learning rate ${rateText(job.learningRate)}${furtherTitle(job.id)}`;
}
