import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { IdleTeller } from '../../dist/queue/idle.js';
import { keysOf, RUNS } from '../../dist/queue/keys.js';
import { CLI, jsonLines, smallRun, treadle, treadleEach } from '../cli/treadle.js';
import { temporaryFolder } from '../support/folder.js';
import { freePort, HAS_REDIS, NO_REDIS, type RedisServer, startRedis } from '../support/redis.js';

const GRID = { architectures: { tiny: [8] }, learningRates: [0.01, 0.005], epochs: 2, batchSize: 32 };

it('why nothing is begun is told once it has lasted, once, and that it is over', () => {
  const lines: string[] = [];
  const teller = new IdleTeller((line) => lines.push(line));
  const heard: [seconds: number, reason: string | null, told: string | null][] = [
    [0, null, null],
    [1, 'nobody', null],
    [3, null, null],
    [5, 'nobody', null],
    [9, 'nobody', null],
    [10, 'nobody', 'nobody'],
    [90, 'nobody', null],
    [91, 'drained', null],
    [96, 'drained', 'drained'],
    [97, 'nobody', null],
    [98, null, 'A worker is there: the run goes on.'],
    [100, 'nobody', null],
    [105, 'nobody', 'nobody'],
  ];
  for (const [seconds, reason, told] of heard) {
    teller.hear(reason, seconds * 1000);
    expect([seconds, lines.splice(0)]).toEqual([seconds, told === null ? [] : [told]]);
  }
});

describe('the command line of queues', () => {
  it('refuses what it cannot use with exit code 2, and no credential', async () => {
    const lines: [args: string[], says: RegExp][] = [
      [
        ['run-all', '--queue', 'http://u:sesame@h'],
        /--queue is "http:\/\/\*\*\*@h"; an address such as redis/,
      ],
      [['run-all', '--queue'], /--queue is missing; an address .+, or \$TREADLE_QUEUE, is expected/],
      [
        ['train', '--model', 'small', '--lr', '0.01', '--store', '/x'],
        /--store is "given"; it with --queue only/,
      ],
      [['run-all', '--store-limit', '5'], /--store-limit is "given"; it with --queue only/],
      [['worker'], /--queue is missing/],
      [['worker', '--queue', 'redis://:sesame@h/name'], /--queue is "redis:\/\/\*\*\*@h\/name"/],
      [['worker', '--queue', 'redis://h', '--jobs', '0'], /--jobs is "0"/],
      [['worker', '--queue', 'redis://h', '--lock', '0'], /--lock is "0"/],
      [
        ['worker', '--queue', 'redis://h', '--metrics', 'all'],
        /--metrics is "all"; a port, or HOST:PORT, is expected/,
      ],
      [['queue', 'status', '--queue', 'nonsense'], /--queue is "nonsense"/],
      [['queue', 'drain', '--queue', 'redis://h'], /missing required argument 'run'/],
      [['queue', 'cancel'], /missing required argument 'run'/],
    ];
    const ends = await treadleEach(lines.map(([args]) => args));
    for (const [index, [args, says]] of lines.entries()) {
      expect({ args, code: ends[index]!.code }).toEqual({ args, code: 2 });
      expect(ends[index]!.stderr).toMatch(says);
      expect(JSON.stringify(ends[index])).not.toContain('sesame');
    }
  });

  it('says what to install where a package is missing', async () => {
    const folder = await temporaryFolder();
    const hook = `
      export async function resolve(name, context, next) {
        if (process.env.MISSING === name) throw Object.assign(new Error('gone'), { code: 'ERR_MODULE_NOT_FOUND' });
        return next(name, context);
      }`;
    await writeFile(join(folder, 'hook.mjs'), hook);
    await writeFile(
      join(folder, 'register.mjs'),
      "import { register } from 'node:module'; register('./hook.mjs', import.meta.url);",
    );
    const env = { NODE_OPTIONS: `--import ${join(folder, 'register.mjs')}` };
    const worker = ['worker', '--queue', 'redis://127.0.0.1:1', '--cache', folder];
    for (const missing of ['bullmq', 'ioredis']) {
      const { code, stderr } = await treadle(worker, { env: { ...env, MISSING: missing } });
      expect({ code, stderr }).toEqual({
        code: 2,
        stderr: `error: A queue needs the package ${missing}: npm install bullmq ioredis.\n`,
      });
    }
  });
});

describe.skipIf(!HAS_REDIS)(`commands at a queue${HAS_REDIS ? '' : `: ${NO_REDIS}`}`, () => {
  let redis: RedisServer;
  let client: Redis;
  beforeAll(async () => {
    redis = await startRedis({ password: 'opensesame' });
    client = new Redis(redis.url);
  });
  afterAll(async () => {
    client.disconnect();
    await redis.close();
  });

  function startWorker(folder: string, args: string[] = []) {
    const env = { ...process.env, TREADLE_QUEUE: redis.url };
    const line = [CLI, 'worker', '--cache', join(folder, 'cache'), ...args];
    const child = spawn(process.execPath, line, { env, stdio: ['ignore', 'ignore', 'pipe'] });
    let stderr = '';
    child.stderr.on('data', (chunk) => {
      stderr += chunk;
    });
    const ended = once(child, 'exit');
    onTestFinished(async () => {
      child.kill('SIGKILL');
      await ended;
    });
    return { child, ended, said: () => stderr };
  }

  it('run a grid as a local one runs: events, exit code, files; and show the queue meanwhile', async () => {
    const folder = await temporaryFolder();
    const options = await smallRun(folder, GRID);
    const port = await freePort();
    const worker = startWorker(folder, ['--metrics', String(port), '--lock', '5']);
    let status: Promise<string> | null = null;
    const env = { TREADLE_QUEUE: redis.url };
    const ask = async () => {
      const { stdout } = await treadle(['queue', 'status', '--json'], { env });
      return stdout;
    };
    const byQueue = await treadle(['run-all', '--json', '--strict', '--queue', redis.url, ...options], {
      cwd: folder,
      onOutput(stdout) {
        if (stdout.includes('"type":"start"')) status ??= ask();
      },
    });
    expect(byQueue.stderr).not.toMatch(/error/);
    expect(byQueue.code).toBe(0);
    const other = await temporaryFolder();
    const local = await treadle(['run-all', '--json', '--strict', ...(await smallRun(other, GRID))], {
      cwd: other,
    });
    const told = ({ stdout }: typeof local) =>
      jsonLines(stdout).flatMap(({ type, job, epoch, valLoss }) =>
        type === 'step' || type === 'test' ? [] : [[type, job, epoch, valLoss].join()],
      );
    expect(told(byQueue)).toEqual(told(local));
    const figures = await fetch(`http://127.0.0.1:${port}/metrics`);
    expect(await figures.text()).toMatch(/^# HELP .+\n# TYPE treadle_worker_samples_per_second gauge\n/);
    expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(404);
    const seen = JSON.parse((await status)!);
    expect(seen.workers).toMatchObject([
      { jobs: 1, worker: expect.stringContaining(`/${worker.child.pid}/`) },
    ]);
    worker.child.kill('SIGTERM');
    expect(await worker.ended).toEqual([0, null]);
    for (const text of [byQueue.stderr, byQueue.stdout, worker.said(), JSON.stringify(seen)])
      expect(text).not.toContain('opensesame');
    expect(await client.hgetall(RUNS)).toEqual({});
  });

  it('drain, show and cancel a run, whose producer then ends as one that was interrupted', async () => {
    const folder = await temporaryFolder();
    const options = await smallRun(folder, GRID);
    const env = { TREADLE_QUEUE: redis.url };
    let begun: (id: string) => void = () => {};
    const id = new Promise<string>((resolve) => {
      begun = resolve;
    });
    const producer = treadle(['run-all', '--json', '--strict', '--queue', redis.url, ...options], {
      cwd: folder,
      onOutput(stdout) {
        const [run] = jsonLines(stdout.slice(0, stdout.lastIndexOf('\n') + 1));
        if (run !== undefined) begun(String(run.id));
      },
    });
    const run = await id;
    while ((await client.hexists(RUNS, run)) === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    await client.hset(keysOf(run).refusals, 'w', 'Run x is refused: treadle is 1 here; 2 is expected.');
    const of = async (...args: string[]) => treadle(['queue', ...args], { env });
    expect((await of('drain', run)).stdout).toBe(`Run ${run} is drained.\n`);
    const { stdout } = await of('status', run);
    expect(stdout).toMatch(new RegExp(`${run} \\(drained\\)\\s+\\S+\\s+1\\s+1\\s+0\\s+0\\s+0`));
    expect(stdout).toContain('treadle is 1 here; 2 is expected.');
    const prometheus = (await of('status', '--prometheus')).stdout;
    expect(prometheus).toContain(`treadle_queue_jobs{run="${run}",state="chained"} 1\n`);
    expect((await of('drain', run, '--undo', '--json')).stdout).toBe(`{"run":"${run}","done":"resumed"}\n`);
    expect((await of('cancel', run)).stdout).toBe(`Run ${run} is cancelled.\n`);
    const { code, stderr } = await producer;
    expect(code).toBe(130);
    expect(stderr).toContain('To go on: treadle run-all --resume');
    const ends = await Promise.all(['drain', 'cancel', 'status'].map((command) => of(command, run)));
    for (const ended of ends) {
      expect(ended).toMatchObject({
        code: 1,
        stderr: `error: ${run} is no run in the queue; the id of one that is is expected.\n`,
      });
    }
    expect((await of('status')).stdout).toBe('The queue has no run.\n\nNo worker is there.\n');
    expect(await client.keys(`*run-${run}*`)).toEqual([]);
    expect(await client.keys(`{treadle}:store:object:runs/${run}*`)).toEqual([]);
  });

  it('say that nobody trains a run and what helps, and at a worker that the run was cancelled', async () => {
    const folder = await temporaryFolder();
    const options = await smallRun(folder, { ...GRID, epochs: 100_000 });
    const env = { TREADLE_QUEUE: redis.url };
    let said = '';
    const producer = treadle(['run-all', '--strict', '--queue', redis.url, ...options], {
      cwd: folder,
      onOutput(stdout) {
        said = stdout;
      },
    });
    const until = async (text: string, of: () => string = () => said) => {
      while (!of().includes(text)) await new Promise((resolve) => setTimeout(resolve, 50));
    };
    await until('start treadle worker');
    const shown = redis.url.replace(/:[^:@]*@/, '***@');
    expect(said).toContain(
      `No worker is connected to the queue; on each machine that is to train, start treadle worker --queue ${shown}\n`,
    );
    const [, run] = /^Run (\S+):/m.exec(said)!;
    startWorker(join(folder, 'a'), ['--store', join(folder, 'elsewhere')]);
    await until('No worker that is connected serves the run. ');
    expect(said).toContain(`Run ${run} is refused: --store is `);
    await treadle(['queue', 'drain', run!], { env });
    await until(`is drained: none of its models is begun before treadle queue drain ${run} --undo.`);
    await treadle(['queue', 'drain', run!, '--undo'], { env });
    const worker = startWorker(join(folder, 'b'), ['--lock', '1']);
    await until('A worker is there: the run goes on.');
    await until('epoch 1/');
    expect((await treadle(['queue', 'cancel', run!], { env })).code).toBe(0);
    await until('is dropped.', worker.said);
    expect(worker.said()).toMatch(
      new RegExp(`Run ${run} was cancelled; what this worker has of job tiny_0.01 is dropped\\.`),
    );
    expect(worker.said()).not.toContain('another worker');
    expect((await producer).code).toBe(130);
    expect(said.match(/No worker is connected/g)).toHaveLength(1);
    expect(said).not.toContain('opensesame');
    // What a worker told while the run was removed is not kept for ever.
    const lasting = async () => {
      const keys = await client.keys(`*${run}*`);
      const lives = await Promise.all(keys.map((key) => client.ttl(key)));
      return keys.filter((_, at) => lives[at] === -1);
    };
    await expect.poll(lasting).toEqual([]);
  });

  it('are refused with a wrong password, and where nobody answers', async () => {
    const folder = await temporaryFolder();
    const options = await smallRun(folder, GRID);
    const port = await freePort();
    await mkdir(join(folder, 'cache'), { recursive: true });
    const wrong = redis.url.replace('opensesame', 'closesesame');
    for (const [url, code, says] of [
      [wrong, 2, /refuses the user or the password/],
      [`redis://:closesesame@127.0.0.1:${port}`, 1, /ECONNREFUSED/],
    ] as const) {
      const ends = await Promise.all(
        [
          treadle(['run-all', '--queue', url, ...options, '--out', `runs-${code}`], { cwd: folder }),
          treadle(['worker', '--queue', url, '--cache', 'cache'], { cwd: folder }),
          treadle(['queue', 'status', '--queue', url], { cwd: folder }),
        ].slice(code === 2 ? 0 : 1),
      );
      for (const ended of ends) {
        expect(ended.code).toBe(code);
        expect(ended.stderr).toMatch(says);
        expect(JSON.stringify(ended)).not.toContain('closesesame');
      }
    }
  });
});
