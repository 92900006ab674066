// How much faster more workers are: jobs by way of a queue with one, two, three and six workers, each stopped and woken so that it
// has a share of a core, beside a simulation from what one job costs. Then the simulation alone, of many workers.
//
//   node test/queue/speedup.mjs --jobs 12 --share 0.25
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
  options: { jobs: { type: 'string', default: '12' }, share: { type: 'string', default: '0.25' } },
});
const [count, share] = [Number(values.jobs), Number(values.share)];
const CLI = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));
const ROOT = mkdtempSync(join(tmpdir(), 'treadle-speedup-'));
const [FEATURES, SAMPLES, HELD] = [256, 2048, 64];
const PERIOD_MS = 100;

const shared = (length, value) => {
  const bytes = new Uint8Array(new SharedArrayBuffer(length));
  for (let at = 0; at < length; at++) bytes[at] = value(at);
  return bytes;
};
const train = {
  images: shared((SAMPLES + HELD) * FEATURES, (at) => (at * 2654435761) >>> 24),
  labels: shared(SAMPLES + HELD, (at) => at % 2),
};
const config = resolveConfig({
  architectures: [{ name: 'one', hidden: [128, 64] }],
  ...{ learningRates: [0.001], mode: 'independent', seeds: count, epochs: 8, batchSize: 64 },
  ...{ validationSize: HELD, jobs: 1, threads: 1 },
});
const core = await loadCore({ build: 'strict' });
const shape = { inputs: FEATURES, classes: 2, imageWidth: FEATURES };
const jobs = planJobs(config, shape, core.build);
const split = splitOf(train.labels, 2, config);
const record = { build: core.build, core: await coreDigest(core.build) };
const data = { train, split, shape, record: { imageWidth: FEATURES, imageHeight: 1 } };

/** Seconds that the jobs take. */
async function seconds(executor) {
  const began = performance.now();
  const fail = (_, error) => {
    throw error;
  };
  await executor.train(jobs, { onEvent() {}, onTrained() {}, onFailed: fail });
  return (performance.now() - began) / 1000;
}

/** When the last job ends, each begun by the worker that is free first. */
function simulated(workers, all, cost) {
  const free = new Float64Array(workers);
  for (let job = 0; job < all; job++) {
    const next = free.indexOf(Math.min(...free));
    free[next] += cost;
  }
  return Math.max(...free);
}

const free = createServer().listen(0, '127.0.0.1');
await new Promise((resolve) => free.once('listening', resolve));
const { port } = free.address();
await new Promise((resolve) => free.close(resolve));
const url = `redis://127.0.0.1:${port}/0`;
const children = [];
try {
  mkdirSync(join(ROOT, 'local'));
  const limits = { jobs: 1, threads: 1, helpers: false };
  const local = await seconds(
    threadExecutor({ core, data: train, split, limits, checkpoints: join(ROOT, 'local') }),
  );
  const cost = local / count;
  console.log(`one job: ${cost.toFixed(3)} s of a core`);
  const redis = spawn('redis-server', ['--port', String(port), '--dir', ROOT, '--save', ''], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  children.push(redis);
  for await (const chunk of redis.stdout) if (/Ready to accept/i.test(String(chunk))) break;
  redis.stdout.resume();
  const client = new Redis(url);
  for (const workers of [1, 2, 3, 6]) {
    const own = Array.from({ length: workers }, (_, worker) => {
      const line = [CLI, 'worker', '--queue', url, '--jobs', '1', '--threads', '1'];
      return spawn(process.execPath, [...line, '--cache', join(ROOT, `c${workers}-${worker}`)], {
        stdio: 'ignore',
      });
    });
    children.push(...own);
    while ((await client.hlen('{treadle}:workers')) < workers)
      await new Promise((resolve) => setTimeout(resolve, 50));
    // Each has its share of every period, one after another, so that they do not ask for the cores at once.
    const timers = [];
    for (const [at, worker] of own.entries()) {
      worker.kill('SIGSTOP');
      const turn = () => {
        worker.kill('SIGCONT');
        setTimeout(() => worker.kill('SIGSTOP'), PERIOD_MS * share);
      };
      setTimeout(() => timers.push(setInterval(turn, PERIOD_MS)), (at * PERIOD_MS) / workers);
    }
    const context = { id: `speedup-${workers}`, config, record, core, data, starts: new Map() };
    const executor = queueExecutor({ url })(context);
    const found = await seconds(executor);
    await executor.finish();
    for (const timer of timers) clearInterval(timer);
    const expected = simulated(workers, count, cost / share);
    console.log(`${workers} workers: ${found.toFixed(1)} s, simulated ${expected.toFixed(1)} s`);
    await new Promise((resolve) => setTimeout(resolve, PERIOD_MS));
    for (const worker of own) worker.kill('SIGKILL');
    await client.del('{treadle}:workers');
  }
  client.disconnect();
  for (const workers of [6, 24, 100, 400, 1000]) {
    const alone = simulated(1, 4000, cost);
    console.log(
      `${workers} workers, 4,000 such jobs, a core each: ${(alone / simulated(workers, 4000, cost)).toFixed(0)} times one`,
    );
  }
} finally {
  for (const child of children) child.kill('SIGKILL');
  rmSync(ROOT, { recursive: true, force: true });
}
process.exit();
