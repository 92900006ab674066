import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { keysOf, PREFIX, queueName, RUNS } from '../../dist/queue/keys.js';
import type { RunEvent } from '../../dist/results/records.js';
import { CLI } from '../cli/treadle.js';
import { failure } from '../support/errors.js';
import { temporaryFolder } from '../support/folder.js';
import { HAS_REDIS, NO_REDIS, type RedisServer, startRedis } from '../support/redis.js';
import { Workers } from './runs.js';
import { byQueue, digests, locally, type Training, trained, training, until } from './training.js';

/** A worker in a process of its own. */
function workerProcess(url: string, folder: string, args: string[] = []) {
  const line = [
    CLI,
    'worker',
    '--jobs',
    '1',
    '--threads',
    '1',
    '--lock',
    '1',
    '--cache',
    join(folder, 'cache'),
    ...args,
  ];
  const env = { ...process.env, TREADLE_QUEUE: url };
  const child: ChildProcess = spawn(process.execPath, line, { env, stdio: ['ignore', 'ignore', 'pipe'] });
  let stderr = '';
  child.stderr!.on('data', (chunk) => {
    stderr += chunk;
  });
  const ended = once(child, 'exit');
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  return {
    child,
    ended,
    get stderr() {
      return stderr;
    },
  };
}

describe.skipIf(!HAS_REDIS)(`a queue in trouble${HAS_REDIS ? '' : `: ${NO_REDIS}`}`, () => {
  let redis: RedisServer;
  let client: Redis;
  /** What the jobs of a long run come to. */
  let expected: Record<string, string>;
  const LONG = { architectures: [{ name: 'slim', hidden: [16] }], epochs: 6 };

  beforeAll(async () => {
    redis = await startRedis();
    client = new Redis(redis.url);
    const folder = join(redis.folder, 'expected');
    expected = digests(await locally(await training(folder, LONG)));
  });
  afterAll(async () => {
    client.disconnect();
    await redis.close();
  });

  /** A training, and workers that end with the test. */
  async function set(settings: object = LONG): Promise<{ folder: string; run: Training; workers: Workers }> {
    const folder = await temporaryFolder();
    const workers = new Workers();
    onTestFinished(() => workers.end());
    return { folder, run: await training(folder, settings), workers };
  }

  const isEpoch = (event: RunEvent, epoch: number) => event.type === 'epoch' && event.epoch === epoch;

  it('trains chains in their order, and forgets a run that is finished', async () => {
    const { folder, run, workers } = await set();
    await workers.add(redis.url, folder, { jobs: 3, threads: 3 });
    const executor = byQueue(redis.url, run);
    const heard = await trained(executor, run.jobs);
    expect(digests(heard)).toEqual(expected);
    expect(heard.order).toEqual(run.jobs.map(({ id }) => id));
    const starts = heard.events.flatMap((event) => (event.type === 'start' ? [event.job] : []));
    expect(starts).toEqual(run.jobs.map(({ id }) => id));
    for (const { id } of run.jobs) {
      const epochs = heard.events.flatMap((event) =>
        event.type === 'epoch' && event.job === id ? [event.epoch] : [],
      );
      expect(epochs).toEqual([1, 2, 3, 4, 5, 6]);
    }
    expect(await client.keys(`*${run.context.id}*`)).not.toEqual([]);
    await workers.end();
    await executor.finish!();
    expect(await client.keys(`*${run.context.id}*`)).toEqual([]);
    expect(await client.keys(`${PREFIX}:store:chunk:*`)).toEqual([]);
  });

  it('goes on from the last epoch when a worker is killed', async () => {
    const { folder, run, workers } = await set();
    const first = workerProcess(redis.url, folder);
    const heard = await trained(byQueue(redis.url, run), run.jobs, {
      onEvent(event) {
        if (!isEpoch(event, 3) || first.child.killed) return;
        first.child.kill('SIGKILL');
        void workers.add(redis.url, folder, { lockMs: 1000 });
      },
    });
    expect(digests(heard)).toEqual(expected);
    const resumed = heard.events.flatMap((event) => (event.type === 'start' ? [event.finished.length] : []));
    expect(resumed.some((finished) => finished >= 3)).toBe(true);
    expect(await client.hgetall(keysOf(run.context.id).strikes)).toEqual({});
  });

  it('gets a job back at once from a worker that is told to stop', async () => {
    const { folder, run, workers } = await set();
    const first = workerProcess(redis.url, folder, ['--lock', '600']);
    const heard = await trained(byQueue(redis.url, run), run.jobs, {
      onEvent(event) {
        if (!isEpoch(event, 2) || first.child.killed) return;
        first.child.kill('SIGTERM');
        void first.ended.then(() => workers.add(redis.url, folder));
      },
    });
    expect(await first.ended).toEqual([0, null]);
    expect(first.stderr).toContain('Stopping after this step; the models go back to the queue.');
    expect(digests(heard)).toEqual(expected);
  });

  it('lets a worker whose lock was lost write nothing any more', async () => {
    const { folder, run, workers } = await set();
    const { id } = run.context;
    await workers.add(redis.url, folder);
    let robbed = '';
    const heard = await trained(byQueue(redis.url, run), run.jobs, {
      onEvent(event) {
        if (!isEpoch(event, 2) || event.type !== 'epoch' || robbed !== '') return;
        robbed = event.job;
        // What the queue does once a lock has run out, and what the next worker does first.
        const key = `${PREFIX}:${queueName(id)}`;
        void client
          .multi()
          .del(`${key}:${robbed}:lock`)
          .hincrby(keysOf(id).attempts, robbed, 1)
          .exec()
          .then(() => workers.add(redis.url, folder, { lockMs: 1000 }));
      },
    });
    expect(digests(heard)).toEqual(expected);
    expect(workers.lines.join('\n')).toContain(`Job ${robbed} of run ${id} was given to another worker`);
    const attempts = Number(await client.hget(keysOf(id).attempts, robbed));
    expect(attempts).toBe(3);
  });

  it('gives up a job that has killed three workers, and what starts from it', async () => {
    const { folder, run, workers } = await set();
    const [first, second] = run.jobs;
    await client.hset(keysOf(run.context.id).strikes, first!.id, 3);
    await workers.add(redis.url, folder);
    const heard = await trained(byQueue(redis.url, run), run.jobs);
    expect(heard.failed.get(first!.id)).toMatchObject({
      code: 'worker',
      message: expect.stringMatching(
        /was given up: 3 workers died while they trained it, without finishing an epoch/,
      ),
    });
    expect(heard.failed.get(second!.id)!.message).toContain('was not trained');
    // Taken up again it gets another chance.
    await client.del(keysOf(run.context.id).producers);
    expect(digests(await trained(byQueue(redis.url, run), run.jobs))).toEqual(expected);
  });

  it('counts the workers that die with a job', async () => {
    const { folder, run } = await set();
    const [{ id }] = run.jobs as [(typeof run.jobs)[0]];
    const { strikes } = keysOf(run.context.id);
    const stop = new AbortController();
    const following = failure('interrupted', () =>
      trained(byQueue(redis.url, run), run.jobs, { signal: stop.signal }),
    );
    for (const died of [1, 2]) {
      const { child, ended } = workerProcess(redis.url, folder);
      await until(async () => Number(await client.hget(strikes, id)) >= died);
      child.kill('SIGKILL');
      await ended;
      await client.hset(strikes, id, died);
    }
    expect(await client.hget(strikes, id)).toBe('2');
    stop.abort();
    await following;
  });

  it('is followed again by a producer that was stopped, and by a second one', async () => {
    const { folder, run, workers } = await set();
    const stop = new AbortController();
    const stopped = failure('interrupted', () =>
      trained(byQueue(redis.url, run), run.jobs, {
        signal: stop.signal,
        onEvent: (event) => isEpoch(event, 2) && stop.abort(),
      }),
    );
    await workers.add(redis.url, folder);
    await stopped;
    const [again, second] = await Promise.all([0, 1].map(() => trained(byQueue(redis.url, run), run.jobs)));
    expect(digests(again!)).toEqual(expected);
    expect(digests(second!)).toEqual(expected);
    // Whoever comes when all is over is told all of it, too.
    await client.del(keysOf(run.context.id).events);
    const late = await trained(byQueue(redis.url, run), run.jobs);
    expect(digests(late)).toEqual(expected);
    expect(late.events.map((event) => event.type === 'start' && event.finished.length)).toEqual([6, 6]);
  });

  it('trains once more what has a damaged result', async () => {
    const { folder, run, workers } = await set();
    await workers.add(redis.url, folder);
    const executor = byQueue(redis.url, run);
    await trained(executor, run.jobs);
    for (const key of await client.keys(`${PREFIX}:store:object:runs/${run.context.id}/results/*`))
      await client.del(key);
    const heard = await trained(executor, run.jobs);
    expect(digests(heard)).toEqual(expected);
    expect(heard.events.filter(({ type }) => type === 'warning')).toHaveLength(2);
  });

  it('is refused by workers of another treadle, another core or another store, both named', async () => {
    const { folder, run, workers } = await set();
    const stop = new AbortController();
    const following = failure('interrupted', () =>
      trained(byQueue(redis.url, run), run.jobs, { signal: stop.signal }),
    );
    await until(async () => (await client.hexists(RUNS, run.context.id)) === 1);
    const text = await client.hget(RUNS, run.context.id);
    const record = JSON.parse(text!);
    const other = 'f'.repeat(64);
    for (const [index, change] of [
      { treadle: '9.9.9' },
      { core: other },
      { store: 'file:/else' },
    ].entries()) {
      const name = `other-${process.pid}-${index}`;
      await client.hset(RUNS, name, JSON.stringify({ ...record, ...change, run: name }));
    }
    await client.hset(RUNS, 'broken', '{"schema":1,"schema":2}');
    await client.hdel(RUNS, run.context.id);
    await workers.add(redis.url, folder);
    await until(() => workers.lines.length >= 5);
    const said = workers.lines.join('\n');
    expect(said).toMatch(/is refused: treadle is \S+ here; 9\.9\.9 is expected/);
    expect(said).toMatch(
      new RegExp(`is refused: the core's SHA-256 is ${record.core} here; ${other} is expected`),
    );
    expect(said).toMatch(/is refused: --store is the Redis of the queue here; file:\/else is expected/);
    expect(said).toContain('The record of a run: it has the key "schema" twice');
    for (const name of await client.hkeys(RUNS))
      if (/^other|broken/.test(name)) await client.hdel(RUNS, name);
    stop.abort();
    await following.catch(() => {});
  });

  it('refuses another run of the same id', async () => {
    const { run } = await set();
    const stop = new AbortController();
    const following = failure('interrupted', () =>
      trained(byQueue(redis.url, run), run.jobs, { signal: stop.signal }),
    );
    await until(async () => (await client.hexists(RUNS, run.context.id)) === 1);
    const other = await training(await temporaryFolder(), { ...LONG, seed: 9 });
    const same = { ...other, context: { ...other.context, id: run.context.id } };
    const error = await failure('usage', () => trained(byQueue(redis.url, same), same.jobs));
    expect(error.message).toContain(`Run ${run.context.id}: its jobs is`);
    stop.abort();
    await following;
  });
});

describe.skipIf(!HAS_REDIS)('a Redis that is restarted', () => {
  const SETTINGS = { architectures: [{ name: 'slim', hidden: [16] }], epochs: 6 };

  /** A Redis of the test's own, with workers and a run; ended with the test. */
  async function set(options: Parameters<typeof startRedis>[0] = {}) {
    const redis = await startRedis(options);
    const workers = new Workers();
    onTestFinished(async () => {
      await workers.end();
      await redis.close();
    });
    const folder = await temporaryFolder();
    return { redis, workers, folder, run: await training(folder, SETTINGS) };
  }

  it('loses nothing where it keeps its data', async () => {
    const { redis, workers, folder, run } = await set({ keeps: true });
    await workers.add(redis.url, folder);
    let restarted: Promise<void> | null = null;
    const heard = await trained(byQueue(redis.url, run), run.jobs, {
      onEvent(event) {
        if (event.type === 'epoch' && event.epoch === 2)
          restarted ??= redis.stop('SIGKILL').then(redis.start);
      },
    });
    await restarted;
    expect(digests(heard)).toEqual(digests(await locally(run)));
  });

  it('that keeps nothing ends in one error, and the run is resumed from its store', async () => {
    const { redis, workers, folder, run } = await set();
    const store = join(folder, 'store');
    await workers.add(redis.url, folder, { store });
    let restarted: Promise<void> | null = null;
    const error = await failure('network', () =>
      trained(byQueue(redis.url, run, { store }), run.jobs, {
        onEvent(event) {
          if (event.type === 'epoch' && event.epoch === 2)
            restarted ??= redis.stop('SIGKILL').then(redis.start);
        },
      }),
    );
    await restarted;
    expect(error.message).toContain(`The queue knows nothing of run ${run.context.id} any more`);
    const heard = await trained(byQueue(redis.url, run, { store }), run.jobs);
    expect(digests(heard)).toEqual(digests(await locally(run)));
    const [first] = heard.events.filter(({ type }) => type === 'start');
    expect((first as { finished: unknown[] }).finished.length).toBeGreaterThan(0);
  });
});
