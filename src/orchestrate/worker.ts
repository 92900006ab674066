import { parentPort, workerData } from 'node:worker_threads';
import { assist, type HelperTicket, Network, TreadleError } from '#bindings';
import { networkSeed } from '../train/seeds.js';
import { trainModel } from '../train/trainer.js';
import { loadWeights } from '../weights/model-file.js';
import { evaluateTensors } from './evaluate.js';
import {
  type TestTask,
  type TrainTask,
  toErrorRecord,
  type WorkerMessage,
  type WorkerTask,
} from './messages.js';

/** The entry of every worker thread; what it does stands in the task it is started with. */
const port = parentPort!;
const task = workerData as WorkerTask & { loaded: Int32Array };
Atomics.store(task.loaded, 0, 1);

function send(message: WorkerMessage): void {
  port.postMessage(message);
}

/** Trains the task's model; helpers may join as soon as its ticket is out. */
function train({ engine, job, data, split, parent }: TrainTask): void {
  const network = new Network(engine, job.spec, {
    seed: networkSeed(job.seed, job.id),
    batchSize: job.batchSize,
    data,
  });
  try {
    if (parent !== null) network.importTensors(parent);
    if (network.ticket !== null) send({ type: 'ticket', ticket: network.ticket });
    const trained = trainModel(
      network,
      job,
      split,
      (event) => send({ type: 'event', event }),
      () => false,
    );
    send({ type: 'trained', trained });
  } catch (error) {
    // Anything but an error that treadle foresaw ends the thread, and the pool hears of that.
    if (!(error instanceof TreadleError)) throw error;
    send({ type: 'failed', error: toErrorRecord(error) });
  } finally {
    network.dispose();
  }
}

/** Helps one network after the other. */
function help(): void {
  port.on('message', (ticket: HelperTicket) => {
    assist(ticket);
    send({ type: 'released' });
  });
}

/** Tests each file; one that cannot be tested is told, and the others go on. */
async function test({ engine, data, files, inputs, classes }: TestTask): Promise<void> {
  for (const file of files) {
    try {
      const loaded = await loadWeights(file);
      send({
        type: 'tested',
        file,
        result: evaluateTensors(engine, loaded, { inputs, classes }, data, file),
      });
    } catch (error) {
      if (!(error instanceof TreadleError)) throw error;
      send({ type: 'untested', file, error: toErrorRecord(error) });
    }
  }
}

if (task.role === 'train') train(task);
else if (task.role === 'help') help();
else await test(task);
