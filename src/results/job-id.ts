/** What a job's id is made of. */
export interface JobPlace {
  /** The architecture. */
  model: string;
  learningRate: number;
  /** Its seed, in runs that train several models of each architecture and rate. */
  seed?: number | undefined;
  /** From 1, which is left out of the id. */
  pass?: number;
}

/**
 * The id of a job, e.g. `large1_0.005`, `large1_0.005_pass2`, `large1_0.003_seed1`. It names the job in records, events,
 * checkpoints and charts; what a record says about architecture and rate is for readers.
 */
export function jobId({ model, learningRate, seed, pass = 1 }: JobPlace): string {
  return `${model}_${learningRate}${seed === undefined ? '' : `_seed${seed}`}${pass === 1 ? '' : `_pass${pass}`}`;
}

/** The pass of a job, from its id. */
export function passOf(id: string): number {
  return Number(/_pass(\d+)$/.exec(id)?.[1] ?? 1);
}

/** The seed in a job's id; null where the run has one model of each architecture and rate. */
export function seedOf(id: string): number | null {
  const [, seed] = /_seed(\d+)(?:_pass\d+)?$/.exec(id) ?? [];
  return seed === undefined ? null : Number(seed);
}
