import { Worker } from 'node:worker_threads';
import type { Core, HelperTicket } from '#bindings';
import { type ErrorRecord, fromErrorRecord } from '../experiment/messages.js';
import { startWorker, ticketPort, workerError } from '../experiment/threads.js';
import type { EpochWork } from './epochs.js';

/** What the thread that trains is started with. */
export interface BenchTask {
  engine: Core;
  work: EpochWork;
}

/** What the thread that trains sends: its ticket when helpers are to join, and how it ended. */
export type BenchMessage =
  | { type: 'ticket'; ticket: HelperTicket }
  | { type: 'measured'; seconds: number }
  | { type: 'failed'; error: ErrorRecord };

/** Starts the thread that trains and times. */
export function startTrainer(task: BenchTask): Worker {
  return new Worker(new URL('./worker.js', import.meta.url), { workerData: task, execArgv: [] });
}

/**
 * The seconds that a trainer measures, with as many helper threads as `threads` leaves it. All of them are gone when it
 * ends. Threads wait for each other at barriers, for ever if need be, so they are watched from this one, which does not:
 * rejects with `worker` when one dies, and with the trainer's own error.
 */
export async function superviseTeam(
  trainer: Worker,
  threads: number,
  startHelper: (ticket: HelperTicket) => Worker = (ticket) =>
    startWorker({ role: 'help', ticket: ticketPort(ticket) }),
): Promise<number> {
  const team: Worker[] = [];
  try {
    return await new Promise<number>((resolve, reject) => {
      const watch = (worker: Worker, subject: string): Worker => {
        team.push(worker);
        worker.on('error', (error) => reject(workerError(subject, error)));
        worker.on('exit', (code) => reject(workerError(subject, code)));
        return worker;
      };
      watch(trainer, 'The thread that trains').on('message', (message: BenchMessage) => {
        if (message.type === 'measured') return resolve(message.seconds);
        if (message.type === 'failed') return reject(fromErrorRecord(message.error));
        for (let helper = 1; helper < threads; helper++) {
          watch(startHelper(message.ticket), 'A helper thread');
        }
      });
    });
  } finally {
    await Promise.all(team.map((worker) => worker.terminate()));
  }
}
