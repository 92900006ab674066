import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { pythonWith } from './python.js';
import { freePort } from './redis.js';

const PYTHON = pythonWith('moto.server');

/** Whether there is an S3 server to start; where there is none, its tests are skipped. */
export const HAS_S3 = PYTHON !== undefined;

/** Why they are skipped. */
export const NO_S3 =
  "no Python with moto's server (pip install 'moto[s3]' flask flask-cors, named by TREADLE_PYTHON)";

/** Starts a server of S3's protocol that keeps nothing; returns its address and how to end it. */
export async function startS3(): Promise<{ endpoint: string; close(): Promise<void> }> {
  const port = await freePort();
  const child = spawn(PYTHON!, ['-m', 'moto.server', '-H', '127.0.0.1', '-p', String(port)], {
    stdio: 'ignore',
  });
  const ended = once(child, 'exit');
  const endpoint = `http://127.0.0.1:${port}`;
  for (;;) {
    const answer = await fetch(`${endpoint}/moto-api/`).catch(() => null);
    if (answer !== null) break;
    if (child.exitCode !== null) throw new Error(`The S3 server ended with ${child.exitCode}.`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return {
    endpoint,
    async close() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}
