// How much faster more workers are: jobs by way of a queue with one, two, three and six workers, each stopped and woken so that it
// has a share of a core, beside a simulation from what one job costs. Then the simulation alone, of many workers.
//
//   node test/queue/speedup.mjs --jobs 12 --share 0.25
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Redis } from 'ioredis';
import { threadExecutor } from '../../dist/experiment/pool.js';
import { queueExecutor } from '../../dist/queue/executor.js';
import { madeRun, startRedis, startWorkers } from './made-run.mjs';

const { values } = parseArgs({
  options: { jobs: { type: 'string', default: '12' }, share: { type: 'string', default: '0.25' } },
});
const [count, share] = [Number(values.jobs), Number(values.share)];
const ROOT = mkdtempSync(join(tmpdir(), 'treadle-speedup-'));
const PERIOD_MS = 100;

const { core, jobs, split, train, contextOf } = await madeRun({
  architectures: [{ name: 'one', hidden: [128, 64] }],
  ...{ features: 256, samples: 2048, held: 64, batchSize: 64, learningRates: [0.001] },
  ...{ seeds: count, epochs: 8, jobs: 1, threads: 1 },
});

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

const children = [];
try {
  mkdirSync(join(ROOT, 'local'));
  const limits = { jobs: 1, threads: 1, helpers: false };
  const local = await seconds(
    threadExecutor({ core, data: train, split, limits, checkpoints: join(ROOT, 'local') }),
  );
  const cost = local / count;
  console.log(`one job: ${cost.toFixed(3)} s of a core`);
  const url = await startRedis(ROOT, children);
  const client = new Redis(url);
  for (const workers of [1, 2, 3, 6]) {
    const cacheOf = (at) => join(ROOT, `c${workers}-${at}`);
    const own = await startWorkers(workers, url, cacheOf, client, children);
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
    const executor = queueExecutor({ url })(contextOf(`speedup-${workers}`));
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
