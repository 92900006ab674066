import { describe, expect, it, vi } from 'vitest';
import { createModel, loadCore } from '../../dist/index.js';
import { failure } from '../support/errors.js';
import { small, stripes, trained } from './support.js';

const data = stripes(90, 1);
const OPTIONS = { epochs: 4, validation: 0.2 };

describe('threads', () => {
  it.each([2, 3])('%i of them train to the bytes of one, and none is left', async (threads) => {
    const spec = small(3, { norm: true, dropout: 0.2, hidden: [70, 40] });
    const core = await loadCore({ build: 'simd-mt' });
    const bytes = async (count: number) => {
      const model = await createModel(spec, { seed: 3, core, threads: count });
      return trained(model, await model.fit(data, OPTIONS));
    };
    expect(Buffer.compare(await bytes(threads), await bytes(1))).toBe(0);
    expect(process.getActiveResourcesInfo().filter((name) => name === 'MessagePort')).toEqual([]);
  });

  it('end with a training that is stopped', async () => {
    const controller = new AbortController();
    const model = await createModel(small(3), { core: await loadCore({ build: 'simd-mt' }), threads: 2 });
    const stop = () => controller.abort();
    await failure('interrupted', () =>
      model.fit(data, { epochs: 100, onEpoch: stop, signal: controller.signal }),
    );
    expect(process.getActiveResourcesInfo().filter((name) => name === 'MessagePort')).toEqual([]);
    expect((await model.fit(data, { epochs: 2 })).epochs).toHaveLength(2);
  });

  it.each([0, 65, 1.5, '2'])('are no %s', async (threads) => {
    const error = await createModel(small(3), { threads: threads as number }).catch((reason) => reason);
    expect(error.message).toMatch(/^threads is .* a whole number from 1 to 64 is expected\.$/);
  });

  it('are refused in a build without them, and on the own thread of a page', async () => {
    const plain = await loadCore({ build: 'simd' });
    const error = await failure('usage', () => createModel(small(3), { core: plain, threads: 2 }));
    expect(error.message).toBe(
      'threads is 2 (the build simd has none); 1, or an engine with shared memory (a page that is cross-origin isolated) is expected.',
    );
    const core = await loadCore({ build: 'simd-mt' });
    vi.stubGlobal('document', {});
    const onPage = await failure('usage', () => createModel(small(3), { core, threads: 2 }));
    vi.unstubAllGlobals();
    expect(onPage.message).toContain('1, or worker: true is expected');
  });
});
