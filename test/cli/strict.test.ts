import type { ChildProcess } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../support/folder.js';
import { smallRun, treadle } from './treadle.js';

it('doctor shows the build that strict mode takes, and why', async () => {
  const { code, stdout } = await treadle(['doctor', '--strict', '--json'], {
    env: { TREADLE_BUILD: 'relaxed' },
  });
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({
    build: 'simd-mt',
    why: 'the fastest without relaxed operations, as the engine has threads',
  });
});

it('--strict is --build strict, wins over the config file, and may stand beside it', async () => {
  const folder = await temporaryFolder();
  const architectures = { tiny: [8] };
  const options = await smallRun(folder, { architectures, build: 'relaxed', epochs: 2, batchSize: 32 });
  const train = ['train', '--model', 'tiny', '--lr', '0.01', '--json', ...options];
  const { code } = await treadle([...train, '--strict'], { cwd: folder });
  expect(code).toBe(0);
  const [run] = await readdir(join(folder, 'runs'));
  const results = JSON.parse(await readFile(join(folder, 'runs', run!, 'results.json'), 'utf8'));
  expect(results.config.build).toBe('strict');
  expect(results.environment.build).toBe('simd-mt');
  for (const asked of [
    ['--build', 'strict'],
    ['--build', 'strict', '--strict'],
  ]) {
    // What was asked for is known when the run begins.
    const onOutput = (text: string, child: ChildProcess) =>
      void (text.includes('\n') && child.kill('SIGKILL'));
    const { stdout } = await treadle([...train, ...asked], { cwd: folder, onOutput });
    expect(JSON.parse(stdout.split('\n')[0]!)).toMatchObject({ type: 'run', build: 'simd-mt' });
  }
});
