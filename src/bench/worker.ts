import { setTimeout } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { type Engine, Network, TreadleError } from '#bindings';
import { toErrorRecord } from '../orchestrate/messages.js';
import { workerError } from '../orchestrate/threads.js';
import { networkSeed } from '../train/seeds.js';
import { type EpochWork, SEED, timeEpochs } from './epochs.js';
import type { BenchMessage, BenchTask } from './team.js';

/** Longest wait for the helpers to join, in milliseconds, and the time between two looks. */
const JOIN_TIME = 10_000;
const LOOK_INTERVAL = 5;

/** The entry of the thread that trains and times one model. */
await measure(workerData as BenchTask);

function send(message: BenchMessage): void {
  parentPort!.postMessage(message);
}

async function measure({ engine, work }: BenchTask): Promise<void> {
  const { model, spec, batchSize, data } = work;
  const network = new Network(engine, spec, { seed: networkSeed(SEED, model), batchSize, data });
  try {
    if (work.threads > 1) await gather(network, engine, work);
    send({ type: 'measured', seconds: timeEpochs(network, work) });
  } catch (error) {
    // Anything but an error that treadle foresaw ends the thread, and superviseTeam hears of that.
    if (!(error instanceof TreadleError)) throw error;
    send({ type: 'failed', error: toErrorRecord(error) });
  } finally {
    network.dispose();
  }
}

/** Asks for helpers; they take part from the start of an epoch, so epochs without a step begin until all of them do. */
async function gather(network: Network, { build }: Engine, { threads }: EpochWork): Promise<void> {
  const { ticket } = network;
  if (ticket === null) throw noThreads(threads, build);
  send({ type: 'ticket', ticket });
  const deadline = performance.now() + JOIN_TIME;
  for (;;) {
    network.beginEpoch(new Uint32Array(0), 1);
    if (network.threads === threads) return;
    if (performance.now() > deadline) {
      const found = `${network.threads} of ${threads} threads have joined`;
      throw workerError('The team of threads', new Error(`${found} after ${JOIN_TIME / 1000} s`));
    }
    await setTimeout(LOOK_INTERVAL);
  }
}

function noThreads(threads: number, build: string): TreadleError {
  return new TreadleError(
    'usage',
    `--threads is ${threads}, but the build ${build} has no threads; 1 is expected, or a build whose name ends in -mt.`,
    { subject: '--threads', found: threads, expected: 1 },
  );
}
