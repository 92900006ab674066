// What a queue costs: tiny jobs by way of workers in processes of their own, beside the same jobs in threads of one process.
// Prints milliseconds, Redis commands and bytes a job, and the producer's memory.
//
//   node test/queue/overhead.mjs --jobs 1000 --workers 8 --epochs 1
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Redis } from 'ioredis';
import { loadCore } from '../../dist/bindings/host.js';
import { resolveConfig } from '../../dist/experiment/config.js';
import { planJobs } from '../../dist/experiment/jobs.js';
import { threadExecutor } from '../../dist/experiment/pool.js';
import { splitOf } from '../../dist/experiment/prepare.js';
import { coreDigest } from '../../dist/node/run-folders.js';
import { queueExecutor } from '../../dist/queue/executor.js';

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
const CLI = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));
const ROOT = mkdtempSync(join(tmpdir(), 'treadle-overhead-'));

const features = number.features;
const count = number.samples + 32;
const shared = (length, value) => Uint8Array.from({ length }, value);
const toShared = (array) => {
  const copy = new Uint8Array(new SharedArrayBuffer(array.length));
  copy.set(array);
  return copy;
};
const train = {
  images: toShared(shared(count * features, (_, at) => (at * 2654435761) >>> 24)),
  labels: toShared(shared(count, (_, at) => at % 2)),
};
const config = resolveConfig({
  architectures: [{ name: 'tiny', hidden: values.hidden.split(',').map(Number) }],
  ...{ learningRates: [0.01], mode: 'independent', seeds: number.jobs, epochs: number.epochs, batchSize: 32 },
  ...{ validationSize: 32, jobs: number.workers, threads: number.workers },
});
const core = await loadCore({ build: 'strict' });
const jobs = planJobs(config, { inputs: features, classes: 2, imageWidth: features }, core.build);
const split = splitOf(train.labels, 2, config);
const record = { build: core.build, core: await coreDigest(core.build) };
const data = {
  ...{ train, split, shape: { inputs: features, classes: 2, imageWidth: features } },
  record: { imageWidth: features, imageHeight: 1 },
};
const context = { id: `overhead-${process.pid}`, config, record, core, data, starts: new Map() };

/** Seconds that all jobs take, and the most memory of this process meanwhile. */
async function measured(executor) {
  const began = performance.now();
  let trained = 0;
  const memory = [];
  let first = 0;
  await executor.train(jobs, {
    onEvent: () => {
      first ||= performance.now();
    },
    onTrained: () => {
      trained++;
      if (trained % 100 === 0) memory.push(Math.round(process.memoryUsage.rss() / 2 ** 20));
    },
    onFailed: (_, error) => {
      throw error;
    },
  });
  const seconds = (performance.now() - began) / 1000;
  return { trained, seconds, afterFirst: (performance.now() - first) / 1000, memory };
}

const free = createServer().listen(0, '127.0.0.1');
await new Promise((resolve) => free.once('listening', resolve));
const { port } = free.address();
await new Promise((resolve) => free.close(resolve));
const url = `redis://127.0.0.1:${port}/0`;
const children = [];
try {
  const redis = spawn('redis-server', ['--port', String(port), '--dir', ROOT, '--save', ''], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  children.push(redis);
  for await (const chunk of redis.stdout) if (/Ready to accept/i.test(String(chunk))) break;
  redis.stdout.resume();
  const client = new Redis(url);
  for (let worker = 0; worker < number.workers; worker++) {
    const line = [
      CLI,
      'worker',
      '--queue',
      url,
      '--jobs',
      '1',
      '--threads',
      '1',
      '--cache',
      join(ROOT, `c${worker}`),
    ];
    children.push(spawn(process.execPath, line, { stdio: 'ignore' }));
  }
  while ((await client.hlen('{treadle}:workers')) < number.workers)
    await new Promise((resolve) => setTimeout(resolve, 100));
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
  const byQueue = await measured(queueExecutor({ url })(context));
  const after = await info();
  const ps = children.slice(1);
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
    `overhead ${(((byQueue.afterFirst - local.afterFirst) * 1000) / jobs.length).toFixed(1)} ms a job`,
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
