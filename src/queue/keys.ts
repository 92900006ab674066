/** In braces, so that a Redis cluster keeps all keys in one place, as BullMQ asks. */
export const PREFIX = '{treadle}';

/** Runs that have jobs in the queue: id -> record. */
export const RUNS = `${PREFIX}:runs`;

/** Workers by id -> what they last said of themselves. */
export const WORKERS = `${PREFIX}:workers`;

/** The BullMQ queue of a run's jobs. */
export const queueName = (run: string) => `run-${run}`;

/** What BullMQ keeps of the queue itself. */
export const metaOf = (run: string) => `${PREFIX}:${queueName(run)}:meta`;

/** A run's keys besides those of BullMQ. */
export function keysOf(run: string) {
  const of = (part: string) => `${PREFIX}:run:${run}:${part}`;
  return {
    /** Stream of all that happens but single steps. */
    events: of('events'),
    /** Channel of single steps, which nobody keeps. */
    steps: of('steps'),
    /** How often each job was begun: job -> count. */
    attempts: of('attempts'),
    /** How many workers died with each job since it last got on: job -> count. */
    strikes: of('strikes'),
    /** Producers by the time of their last sign of life. */
    producers: of('producers'),
    /** Workers that do not serve the run -> why. */
    refusals: of('refusals'),
    /** There once the run was cancelled. */
    cancelled: of('cancelled'),
  };
}

/** How long anything of a run stays where nobody asks for it, in seconds: two weeks. */
export const LIFE_SECONDS = 14 * 24 * 3600;
