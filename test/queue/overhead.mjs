// What a queue costs: tiny jobs by way of workers in processes of their own, beside the same jobs in threads of one process.
// Prints milliseconds, Redis commands and bytes a job, and the producer's memory.
//
//   node test/queue/overhead.mjs --jobs 1000 --workers 8 --epochs 1
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Redis } from 'ioredis';
import { threadExecutor } from '../../dist/experiment/pool.js';
import { queueExecutor } from '../../dist/queue/executor.js';
import { madeRun, startRedis, startWorkers } from './made-run.mjs';

const { values } = parseArgs({
  options: {
    jobs: { type: 'string', default: '1000' },
    workers: { type: 'string', default: '8' },
    epochs: { type: 'string', default: '1' },
    hidden: { type: 'string', default: '4' },
    samples: { type: 'string', default: '64' },
    features: { type: 'string', default: '16' },
  },
});
const number = Object.fromEntries(Object.entries(values).map(([key, text]) => [key, Number(text)]));
const ROOT = mkdtempSync(join(tmpdir(), 'treadle-overhead-'));

const { core, jobs, split, train, contextOf } = await madeRun({
  architectures: [{ name: 'tiny', hidden: values.hidden.split(',').map(Number) }],
  ...{ features: number.features, samples: number.samples, held: 32, batchSize: 32, learningRates: [0.01] },
  ...{ seeds: number.jobs, epochs: number.epochs, jobs: number.workers, threads: number.workers },
});

/** Jobs after which every worker has compiled the core and fetched the data, which it does once a run. */
const SETTLED = 10 * number.workers;

/** Seconds that all jobs take, and the most memory of this process meanwhile. */
async function measured(executor) {
  const began = performance.now();
  let trained = 0;
  const memory = [];
  let first = 0;
  let settled = 0;
  await executor.train(jobs, {
    onEvent: () => {
      first ||= performance.now();
    },
    onTrained: () => {
      trained++;
      if (trained === SETTLED) settled = performance.now();
      if (trained % 100 === 0) memory.push(Math.round(process.memoryUsage.rss() / 2 ** 20));
    },
    onFailed: (_, error) => {
      throw error;
    },
  });
  const ended = performance.now();
  return {
    ...{ trained, memory, seconds: (ended - began) / 1000, afterFirst: (ended - first) / 1000 },
    eachSettled: (ended - settled) / (trained - SETTLED),
  };
}

const children = [];
try {
  const url = await startRedis(ROOT, children);
  const client = new Redis(url);
  const ps = await startWorkers(number.workers, url, (at) => join(ROOT, `c${at}`), client, children);
  const info = async () => {
    const text = await client.info();
    const of = (name) => Number(new RegExp(`^${name}:([\\d.]+)`, 'm').exec(text)[1]);
    return {
      ...{ commands: of('total_commands_processed'), input: of('total_net_input_bytes') },
      ...{
        output: of('total_net_output_bytes'),
        cpu: of('used_cpu_user') + of('used_cpu_sys'),
        peak: of('used_memory_peak'),
      },
    };
  };
  const before = await info();
  const byQueue = await measured(queueExecutor({ url })(contextOf(`overhead-${process.pid}`)));
  const after = await info();
  for (const child of ps) child.kill('SIGTERM');
  await Promise.all(ps.map((child) => new Promise((resolve) => child.once('exit', resolve))));
  const helpers = core.build.endsWith('-mt');
  const limits = { jobs: number.workers, threads: number.workers, helpers };
  mkdirSync(join(ROOT, 'local'));
  const local = await measured(
    threadExecutor({ core, data: train, split, limits, checkpoints: join(ROOT, 'local') }),
  );
  const each = (key) => ((after[key] - before[key]) / jobs.length).toFixed(1);
  console.log(`${jobs.length} jobs of ${number.epochs} epochs, ${number.workers} workers`);
  console.log(
    `by queue ${byQueue.seconds.toFixed(1)} s (${byQueue.afterFirst.toFixed(1)} s from the first event on), in threads ${local.seconds.toFixed(1)} s (${local.afterFirst.toFixed(1)} s)`,
  );
  console.log(
    `overhead ${(((byQueue.afterFirst - local.afterFirst) * 1000) / jobs.length).toFixed(1)} ms a job; from job ${SETTLED} on ${(byQueue.eachSettled - local.eachSettled).toFixed(1)} (${byQueue.eachSettled.toFixed(1)} and ${local.eachSettled.toFixed(1)})`,
  );
  console.log(
    `Redis: ${each('commands')} commands, ${each('input')} bytes in, ${each('output')} bytes out a job, ${(((after.cpu - before.cpu) * 1000) / jobs.length).toFixed(2)} ms of CPU; peak memory ${(after.peak / 2 ** 20).toFixed(1)} MiB`,
  );
  console.log(`producer, MiB after each 100 jobs: ${byQueue.memory.join(' ')}`);
  client.disconnect();
} finally {
  for (const child of children) child.kill('SIGKILL');
  rmSync(ROOT, { recursive: true, force: true });
}
