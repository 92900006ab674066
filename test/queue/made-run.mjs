// What the scripts that measure a queue share: a grid of models on made data, a Redis of their own, workers.
import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { loadCore } from '../../dist/bindings/host.js';
import { resolveConfig } from '../../dist/experiment/config.js';
import { planJobs } from '../../dist/experiment/jobs.js';
import { splitOf } from '../../dist/experiment/prepare.js';
import { coreDigest } from '../../dist/node/run-folders.js';

const CLI = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));

function shared(length, value) {
  const bytes = new Uint8Array(new SharedArrayBuffer(length));
  for (let at = 0; at < length; at++) bytes[at] = value(at);
  return bytes;
}

/** A run of models of one architecture with different seeds: its jobs, and what executors take. */
export async function madeRun({ features, samples, held, ...settings }) {
  const train = {
    images: shared((samples + held) * features, (at) => (at * 2654435761) >>> 24),
    labels: shared(samples + held, (at) => at % 2),
  };
  const config = resolveConfig({ mode: 'independent', validationSize: held, ...settings });
  const core = await loadCore({ build: 'strict' });
  const shape = { inputs: features, classes: 2, imageWidth: features };
  const jobs = planJobs(config, shape, core.build);
  const split = splitOf(train.labels, 2, config);
  const record = { build: core.build, core: await coreDigest(core.build) };
  const data = { train, split, shape, record: { imageWidth: features, imageHeight: 1 } };
  const contextOf = (id) => ({ id, config, record, core, data, starts: new Map() });
  return { core, jobs, split, train, contextOf };
}

/** A Redis that keeps nothing, on a free port; it is added to the children. */
export async function startRedis(folder, children) {
  const free = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => free.once('listening', resolve));
  const { port } = free.address();
  await new Promise((resolve) => free.close(resolve));
  const redis = spawn('redis-server', ['--port', String(port), '--dir', folder, '--save', ''], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  children.push(redis);
  for await (const chunk of redis.stdout) if (/Ready to accept/i.test(String(chunk))) break;
  redis.stdout.resume();
  return `redis://127.0.0.1:${port}/0`;
}

/** Workers of one job and one thread each, once the queue knows them all; they are added to the children. */
export async function startWorkers(count, url, cacheOf, client, children) {
  const workers = Array.from({ length: count }, (_, at) => {
    const line = [CLI, 'worker', '--queue', url, '--jobs', '1', '--threads', '1', '--cache', cacheOf(at)];
    return spawn(process.execPath, line, { stdio: 'ignore' });
  });
  children.push(...workers);
  while ((await client.hlen('{treadle}:workers')) < count)
    await new Promise((resolve) => setTimeout(resolve, 50));
  return workers;
}
