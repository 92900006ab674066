import { expect, it } from 'vitest';
import { withThreads } from '../../dist/bench/helpers.js';
import type { Engine, Network } from '../../dist/bindings/index.js';
import { failure } from '../support/errors.js';

it('fails, and disposes of the network, when a helper thread dies', async () => {
  let disposed = false;
  const network = {
    threads: 1,
    ticket: { engine: 'none', memory: 'none', state: 0 },
    beginEpoch: () => {},
    dispose: () => {
      disposed = true;
    },
  };
  const engine = { build: 'simd-mt' } as Engine;
  const error = await failure('worker', () =>
    withThreads(engine, network as unknown as Network, 2, () => 'unreachable'),
  );
  expect(error.message).toMatch(/^A helper thread did not finish: .+; a finished thread is expected\.$/);
  expect(disposed).toBe(true);
});
