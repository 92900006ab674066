import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Whether there is a Redis to start; where there is none, tests of queues are skipped. */
export const HAS_REDIS = spawnSync('redis-server', ['--version']).status === 0;

/** Why they are skipped. */
export const NO_REDIS = 'redis-server is not installed (Debian: apt-get install redis-server)';

/** A Redis of a test's own. */
export interface RedisServer {
  url: string;
  port: number;
  folder: string;
  /** Ends it as the system would, or with `SIGKILL`. What it keeps stays in its folder. */
  stop(signal?: NodeJS.Signals): Promise<void>;
  /** Starts it again, on the same port and with what it has kept. */
  start(): Promise<void>;
  /** Ends it and removes its folder. */
  close(): Promise<void>;
}

/** A port that is free now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Starts a Redis on a free port, with its data in a temporary folder. */
export async function startRedis(options: { keeps?: boolean; password?: string } = {}): Promise<RedisServer> {
  const folder = await mkdtemp(join(tmpdir(), 'treadle-redis-'));
  const port = await freePort();
  let child: ChildProcess | null = null;
  const server: RedisServer = {
    url: `redis://${options.password ? `:${encodeURIComponent(options.password)}@` : ''}127.0.0.1:${port}/0`,
    port,
    folder,
    async start() {
      const args = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', ''];
      args.push('--appendonly', options.keeps ? 'yes' : 'no', '--appendfsync', 'always');
      if (options.password) args.push('--requirepass', options.password);
      child = spawn('redis-server', args, { stdio: ['ignore', 'pipe', 'ignore'] });
      for await (const chunk of child.stdout!) if (/Ready to accept/i.test(String(chunk))) break;
      child.stdout!.resume();
    },
    async stop(signal = 'SIGTERM') {
      const ending = child;
      child = null;
      if (ending === null || ending.exitCode !== null || ending.signalCode !== null) return;
      const ended = once(ending, 'exit');
      ending.kill(signal);
      await ended;
    },
    async close() {
      await server.stop('SIGKILL');
      await rm(folder, { recursive: true, force: true });
    },
  };
  await server.start();
  return server;
}
