/**
 * The id of the job that trains an architecture at one learning rate, e.g. `large1_0.005`. It names the job in records,
 * events, checkpoints and charts; what a record says about architecture and rate is for readers.
 */
export function jobId(model: string, learningRate: number): string {
  return `${model}_${learningRate}`;
}
