import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { parentPort, receiveMessageOnPort, type Transferable, workerData } from 'node:worker_threads';
import { type HelperTicket, helpNetwork, Network, TreadleError } from '#bindings';
import { classifierModel } from '../model/classifier.js';
import { loadWeights } from '../node/model-file.js';
import type { RunEvent, TrainedModel } from '../results/records.js';
import { newestCheckpoint, saveCheckpoint } from './checkpoint-store.js';
import { timeOf } from './clock.js';
import { testEnsemble } from './ensemble.js';
import { evaluateTensors } from './evaluate.js';
import { jobOptions } from './job-options.js';
import {
  type EnsembleTask,
  type HelpTask,
  type TestTask,
  type TimeTask,
  type TrainTask,
  toErrorRecord,
  type WorkerMessage,
  type WorkerTask,
} from './messages.js';
import { networkSeed } from './seeds.js';
import { ticketPort, workerError } from './threads.js';
import { SEED, timeEpochs } from './time-epochs.js';
import { trainModel } from './train-job.js';

/** The entry of every worker thread, which does the task it is started with. */
const port = parentPort!;
const task = workerData as WorkerTask & { loaded: Int32Array };
Atomics.store(task.loaded, 0, 1);

function send(message: WorkerMessage, transfer: Transferable[] = []): void {
  port.postMessage(message, transfer);
}

/** Trains the task's model from its newest checkpoint; helpers may join once its tickets are sent. */
async function train({
  core,
  job,
  data,
  split,
  parent,
  checkpoints,
  isCopied,
  tickets,
  stop,
  clock,
}: TrainTask): Promise<void> {
  const { images, labels } = data;
  let network: Network | null = null;
  const emit = (event: RunEvent): void => send({ type: 'event', event });
  try {
    network = new Network(
      core,
      classifierModel(job.spec),
      jobOptions(job, split.train.length, labels.length, 1 + tickets),
    );
    const found = checkpoints === null ? null : await newestCheckpoint(checkpoints, job);
    for (const message of found?.problems ?? []) emit({ type: 'warning', job: job.id, message });
    network.load(0, { inputs: images, targets: labels });
    if (parent !== null) {
      network.setTensors(parent.tensors);
      network.training.batchesTracked = parent.batchesTracked;
    }
    await gather(network, tickets, HELPER_WAIT);
    const trained = await trainModel(network, job, labels, split, {
      emit,
      now: () => timeOf(clock),
      shouldStop: () => Atomics.load(stop, 0) !== 0,
      from: found?.checkpoint ?? null,
      ...(checkpoints !== null && {
        save: async (checkpoint) => {
          await saveCheckpoint(checkpoints, job, checkpoint);
          if (!isCopied) return;
          send({ type: 'checkpoint' });
          await once(port, 'message');
        },
      }),
    });
    send({ type: 'trained', trained }, buffersOf(trained));
  } catch (error) {
    // Any other error ends the thread, which the pool sees by its exit.
    if (!(error instanceof TreadleError)) throw error;
    send({ type: 'failed', error: toErrorRecord(error) });
  } finally {
    network?.dispose();
  }
}

/** Longest waits for helpers, in milliseconds. A thread starts in a tenth of a second; a timing has to have them all. */
const HELPER_WAIT = 1000;
const TIMED_HELPER_WAIT = 10_000;

/**
 * Sends tickets, receives how many helpers were started for them, and waits for these to join, so that they take part
 * from the first epoch on. Returns whether all of them have joined.
 */
async function gather(network: Network, tickets: number, longest: number): Promise<boolean> {
  const { ticket } = network;
  if (tickets === 0 || ticket === null) return true;
  const ports = Array.from({ length: tickets }, () => ticketPort(ticket));
  send({ type: 'tickets', ports }, ports);
  const [helpers] = (await once(port, 'message')) as [number];
  const until = performance.now() + longest;
  while (network.joined <= helpers && performance.now() < until) await setTimeout(1);
  return network.joined > helpers;
}

/** Trains and times the task's model, with all the threads that it names. */
async function time({ core, work }: TimeTask): Promise<void> {
  const { model, spec, batchSize, threads, data } = work;
  const network = new Network(core, classifierModel(spec), {
    seed: networkSeed(SEED, model),
    batchSize,
    training: { loss: { type: 'crossEntropy' }, optimizer: { type: 'adam' } },
    sets: [{ rows: data.labels.length }],
    threads,
  });
  try {
    network.load(0, { inputs: data.images, targets: data.labels });
    if (!(await gather(network, threads - 1, TIMED_HELPER_WAIT))) {
      const found = `${network.joined} of ${threads} threads have joined after ${TIMED_HELPER_WAIT / 1000} s`;
      throw workerError('The team of threads', new Error(found));
    }
    send({ type: 'timed', seconds: timeEpochs(network, work) });
  } catch (error) {
    if (!(error instanceof TreadleError)) throw error;
    send({ type: 'failed', error: toErrorRecord(error) });
  } finally {
    network.dispose();
  }
}

/** The memory of a model's tensors, to be handed over and not copied. */
function buffersOf({ weights, last }: TrainedModel): ArrayBuffer[] {
  const arrays = [weights, last].flatMap(({ tensors }) => [...tensors.values()]);
  return [...new Set(arrays.map(({ buffer }) => buffer as ArrayBuffer))];
}

/** Helps one network until it is disposed of. */
function help({ ticket }: HelpTask): void {
  helpNetwork(receiveMessageOnPort(ticket)!.message as HelperTicket);
  ticket.close();
  send({ type: 'helped' });
}

/** Tests each file; for one that cannot be tested its error is sent. */
async function test({ core, data, files, shape }: TestTask): Promise<void> {
  for (const file of files) {
    try {
      const loaded = await loadWeights(file);
      send({
        type: 'tested',
        file,
        result: evaluateTensors(core, loaded, shape, data, file),
      });
    } catch (error) {
      if (!(error instanceof TreadleError)) throw error;
      send({ type: 'untested', file, error: toErrorRecord(error) });
    }
  }
}

/** Tests the files as one. */
async function ensemble({ core, files, shape, data, choice }: EnsembleTask): Promise<void> {
  try {
    const members = [];
    for (const file of files) members.push({ ...(await loadWeights(file)), file });
    send({ type: 'ensemble', result: testEnsemble(core, members, shape, data, choice) });
  } catch (error) {
    if (!(error instanceof TreadleError)) throw error;
    send({ type: 'failed', error: toErrorRecord(error) });
  }
}

if (task.role === 'train') await train(task);
else if (task.role === 'time') await time(task);
else if (task.role === 'help') help(task);
else if (task.role === 'ensemble') await ensemble(task);
else await test(task);
