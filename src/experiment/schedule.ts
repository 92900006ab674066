/** What the scheduler knows of one job. */
export interface JobState {
  id: string;
  parent: string | null;
  status: 'waiting' | 'running' | 'done' | 'failed';
  /** Expected work of one epoch, in any unit that is the same for all jobs (parameters will do). */
  epochCost: number;
  epochs: number;
  epochsDone: number;
  /** True once helpers can join it. */
  joinable: boolean;
  /** Helper threads given to it so far and still alive. */
  helpers: number;
}

export interface ScheduleLimits {
  /** Models trained at once. */
  jobs: number;
  /** Threads in all, models and helpers together. */
  threads: number;
  /** False in builds without threads. */
  helpers: boolean;
}

export type Decision = { type: 'start'; job: string } | { type: 'help'; job: string };

/**
 * The next thing to do, or null to wait. Ready jobs come first, the one with the longest chain of work
 * behind it before the others; a thread that no job can use helps the running model that has the most
 * work left for each of its threads. Pure: the same state gives the same decision.
 */
export function decide(states: readonly JobState[], limits: ScheduleLimits): Decision | null {
  const running = states.filter((job) => job.status === 'running');
  const threads = running.reduce((sum, job) => sum + 1 + job.helpers, 0);
  if (threads >= limits.threads) return null;

  const done = new Set(states.filter((job) => job.status === 'done').map((job) => job.id));
  const ready = states.filter(
    (job) => job.status === 'waiting' && (job.parent === null || done.has(job.parent)),
  );
  if (ready.length > 0 && running.length < limits.jobs) {
    return { type: 'start', job: largest(ready, (job) => remainingCost(states, job)).id };
  }

  // A helper takes part from the next epoch on, so the last epoch cannot use one.
  const helpable = running.filter((job) => job.joinable && job.epochs - job.epochsDone > 1);
  if (limits.helpers && helpable.length > 0) {
    return {
      type: 'help',
      job: largest(helpable, (job) => remainingCost(states, job) / (1 + job.helpers)).id,
    };
  }
  return null;
}

/** Work left in a job and in the longest chain that waits for it. */
export function remainingCost(states: readonly JobState[], job: JobState): number {
  const own = job.epochCost * (job.epochs - job.epochsDone);
  const behind = states
    .filter((other) => other.parent === job.id)
    .map((child) => remainingCost(states, child));
  return own + Math.max(0, ...behind);
}

/** The item with the largest value; the first of equals. */
function largest<T>(items: readonly T[], value: (item: T) => number): T {
  return items.reduce((best, item) => (value(item) > value(best) ? item : best));
}
