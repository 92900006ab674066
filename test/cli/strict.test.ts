import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../support/folder.js';
import { jsonLines, smallRun, treadle } from './treadle.js';

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
  const weights: Buffer[] = [];
  for (const asked of [['--strict'], ['--build', 'strict'], ['--build', 'strict', '--strict']]) {
    const { code, stdout } = await treadle([...train, ...asked, '--force'], { cwd: folder });
    expect(code).toBe(0);
    expect(jsonLines(stdout)[0]).toMatchObject({ type: 'run', build: 'simd-mt' });
    weights.push(await readFile(join(folder, 'weights', 'tiny_weights_0.01.safetensors')));
  }
  expect(new Set(weights.map((bytes) => bytes.toString('hex'))).size).toBe(1);
  for (const run of await readdir(join(folder, 'runs'))) {
    const results = JSON.parse(await readFile(join(folder, 'runs', run, 'results.json'), 'utf8'));
    expect(results.config.build).toBe('strict');
    expect(results.environment.build).toBe('simd-mt');
  }
});
