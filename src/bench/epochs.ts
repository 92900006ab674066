import { type Core, TreadleError } from '#bindings';
import { fromErrorRecord } from '../experiment/messages.js';
import type { EpochWork } from '../experiment/time-epochs.js';
import { TrainingThreads } from '../experiment/training-threads.js';

export interface EpochFigure {
  model: string;
  batchSize: number;
  threads: number;
  /** LabelledImages in the epoch. */
  samples: number;
  /** Median of the timed epochs. */
  seconds: number;
}

/**
 * Trains a model in threads of its own and times it. Throws `diverged` when the losses are not those of training,
 * `usage` for more than one thread in a build without threads, and `worker` when a thread dies or does not join.
 */
export async function measureEpoch(core: Core, work: EpochWork): Promise<EpochFigure> {
  const { model, batchSize, threads, data } = work;
  if (threads > 1 && !core.build.endsWith('-mt')) throw noThreads(threads, core.build);
  const seconds = await timeInThreads(core, work);
  return { model, batchSize, threads, samples: data.labels.length, seconds };
}

async function timeInThreads(core: Core, work: EpochWork): Promise<number> {
  let team: TrainingThreads | undefined;
  try {
    return await new Promise<number>((resolve, reject) => {
      team = new TrainingThreads({ role: 'time', core, work }, `The training of ${work.model}`, {
        onMessage: (message) => {
          if (message.type === 'tickets') while (team!.joinable) team!.addHelper();
          if (message.type === 'timed') resolve(message.seconds);
          if (message.type === 'failed') reject(fromErrorRecord(message.error));
        },
        onEnd: reject,
      });
    });
  } finally {
    await team?.close();
  }
}

function noThreads(threads: number, build: string): TreadleError {
  return new TreadleError(
    'usage',
    `threads is ${threads}, but the build ${build} has no threads; 1 is expected, or a build whose name ends in -mt.`,
    { subject: 'threads', found: threads, expected: 1 },
  );
}
