/**
 * The id of the job that trains an architecture at one learning rate in a pass, e.g. `large1_0.005`, `large1_0.005_pass2`.
 * It names the job in records, events, checkpoints and charts; what a record says about architecture and rate is for
 * readers.
 */
export function jobId(model: string, learningRate: number, pass = 1): string {
  return `${model}_${learningRate}${pass === 1 ? '' : `_pass${pass}`}`;
}

/** The pass of a job, from its id. */
export function passOf(id: string): number {
  return Number(/_pass(\d+)$/.exec(id)?.[1] ?? 1);
}
