import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it, vi } from 'vitest';
import { detectFeatures } from '../../dist/bindings/host.js';

const CHILD = fileURLToPath(new URL('../support/memory-child.mjs', import.meta.url));
const MIB = 2 ** 20;
/** Pixels of the child's 100 networks. */
const ALL = 100 * 7.5 * MIB;

async function child(task: string, build: string): Promise<Record<string, number>> {
  const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', CHILD, task, build]);
  return JSON.parse(stdout);
}

describe.each(['simd', 'simd-mt'])('memory of networks in the build %s', (build) => {
  it('is free when they have been disposed of, although the program still refers to them', async () => {
    const { networks, inUse, disposed } = await child('kept', build);
    expect(networks).toBe(100);
    expect(inUse).toBeGreaterThan(ALL);
    expect(disposed).toBeLessThan(ALL / 10);
  });

  it('does not pile up until a program that loads one after the other runs out of it', async () => {
    const { most } = await child('dropped', build);
    expect(most).toBeLessThan(ALL / 2);
  });
});

it('is not taken by each look at the features: the probe of threads leaves a channel open', async () => {
  let channels = 0;
  class Counted extends MessageChannel {
    constructor() {
      super();
      channels += 1;
    }
  }
  vi.stubGlobal('MessageChannel', Counted);
  try {
    for (let look = 0; look < 3; look++) await detectFeatures();
  } finally {
    vi.unstubAllGlobals();
  }
  expect(channels).toBe(1);
});
