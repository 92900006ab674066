import { setTimeout } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { type Core, Network, TreadleError } from '#bindings';
import { toErrorRecord } from '../experiment/messages.js';
import { networkSeed } from '../experiment/seeds.js';
import { workerError } from '../experiment/threads.js';
import { classifierModel } from '../model/classifier.js';
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
  const network = new Network(engine, classifierModel(spec), {
    seed: networkSeed(SEED, model),
    batchSize,
    training: { loss: { type: 'crossEntropy' }, optimizer: { type: 'adam' } },
    sets: [{ rows: data.labels.length }],
    threads: work.threads,
  });
  network.load(0, { inputs: data.images, targets: data.labels });
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

/** Asks for helpers; they take part once they are admitted. */
async function gather(network: Network, { build }: Core, { threads }: EpochWork): Promise<void> {
  const { ticket } = network;
  if (ticket === null) throw noThreads(threads, build);
  send({ type: 'ticket', ticket });
  const deadline = performance.now() + JOIN_TIME;
  for (;;) {
    if (network.joined === threads) return;
    if (performance.now() > deadline) {
      const found = `${network.joined} of ${threads} threads have joined`;
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
