import type { FlowJob, JobsOptions } from 'bullmq';
import type { Job } from '../results/records.js';
import { queueName } from './keys.js';
import type { JobRecord } from './records.js';

/** Ended jobs stay in the queue until the run is finished: who comes back reads there how they ended. */
const OPTIONS: JobsOptions = { attempts: 1, removeOnComplete: false, removeOnFail: false };

/** What BullMQ keeps of a job: its record as one text, which is checked before it is used. */
export interface QueuedData {
  record: string;
}

/** What BullMQ keeps of a job that ended well: its outcome as one text. */
export type QueuedOutcome = string;

/** The BullMQ jobs of a run, a flow for each chain: a job is the parent of the one whose weights it starts from. */
export function flowsOf(run: string, jobs: readonly Job[]): FlowJob[] {
  const byId = new Map(jobs.map((job) => [job.id, job]));
  const starting = new Set(jobs.map(({ parent }) => parent));
  const flow = (job: Job): FlowJob => {
    const record: JobRecord = { schema: 1, run, job };
    const before = job.parent === null ? undefined : byId.get(job.parent);
    return {
      name: 'train',
      queueName: queueName(run),
      data: { record: JSON.stringify(record) } satisfies QueuedData,
      opts: { ...OPTIONS, jobId: job.id },
      ...(before !== undefined && { children: [flow(before)] }),
    };
  };
  return jobs.filter(({ id }) => !starting.has(id)).map(flow);
}
