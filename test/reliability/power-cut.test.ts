import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { newestCheckpoint, saveCheckpoint } from '../../dist/experiment/checkpoint-store.js';
import {
  beginRun,
  checkpointsOf,
  finishRun,
  openRun,
  type RunRecord,
} from '../../dist/experiment/run-folder.js';
import { classifierModel, toBlocks } from '../../dist/model/classifier.js';
import { loadWeights, saveWeights } from '../../dist/node/model-file.js';
import type { Checkpoint } from '../../dist/train/loop.js';
import { metadataOf } from '../formats/fixtures.js';
import { temporaryFolder } from '../support/folder.js';
import { type DiskState, type Operation, powerCuts, restore } from './recorded-disk.js';
import { smallJob } from './small-job.js';

// The model of a power cut stands in recorded-disk.ts. TREADLE_CUTS=all tries every state; else every seventh is tried.
const { operations } = vi.hoisted(() => ({ operations: [] as Operation[] }));
vi.mock('node:fs/promises', async (original) => {
  const { recorded } = await import('./recorded-disk.js');
  return recorded(await original<typeof import('node:fs/promises')>(), operations);
});
const STRIDE = process.env.TREADLE_CUTS === 'all' ? 1 : 7;

const { config, job, train } = smallJob([64, 32], 4);
const record: RunRecord = {
  schema: 2,
  build: 'simd',
  core: '0',
  dataset: { name: 'made up', hash: '0' },
  data: null,
  verify: false,
  weights: 'weights',
  from: null,
  replaceable: [],
  finished: false,
};

beforeEach(() => {
  operations.length = 0;
});

/** Trains the job, from a checkpoint or afresh, and returns its last checkpoint. */
async function trained(
  from: Checkpoint | null,
  save: (checkpoint: Checkpoint) => Promise<void>,
): Promise<Checkpoint> {
  let last = from;
  await train({
    from,
    save: (checkpoint) => {
      last = structuredClone(checkpoint);
      return save(checkpoint);
    },
  });
  return last!;
}

/** The states to try: of all that a power cut may leave, each once and, by default, every seventh. */
function states(): { marks: string[]; state: DiskState }[] {
  const seen = new Map<string, { marks: string[]; state: DiskState }>();
  for (const cut of powerCuts(operations)) {
    const hash = createHash('sha256').update(cut.marks.join());
    for (const [path, content] of cut.state) hash.update(`\0${path}\0`).update(content ?? 'folder');
    seen.set(hash.digest('hex'), cut);
  }
  return [...seen.values()].filter((_, index) => index % STRIDE === 0);
}

const mark = (name: string): void => void operations.push({ type: 'mark', name });

describe('a power cut', () => {
  it('loses at most the epoch that was being saved, and training goes on from there to the same bytes', async () => {
    const base = await temporaryFolder();
    const folder = join(base, 'runs', 'a');
    const checkpoints = checkpointsOf(folder);
    const saved: Checkpoint[] = [];
    await beginRun({ folder, config, record });
    mark('begun');
    const last = await trained(null, async (checkpoint) => {
      saved.push(structuredClone(checkpoint));
      mark('saving');
      await saveCheckpoint(checkpoints, job, checkpoint);
      mark('saved');
    });
    mark('trained');
    await finishRun({ folder, record });

    const cuts = states();
    const goneOnFrom = new Set<number>();
    for (const { marks, state } of cuts) {
      const disk = await temporaryFolder();
      await restore(state, base, disk);
      const out = join(disk, 'runs');
      const run = await openRun(null, out).catch((error) => error);
      if (!marks.includes('begun') || marks.includes('trained')) {
        // The run may not be there yet, or be finished; it is never there in part.
        if (run.code !== undefined) expect(run.code).toBe('not-found');
        if (!marks.includes('trained')) continue;
      }
      if (run.code !== undefined) continue;
      expect(run.config).toEqual(config);
      const { checkpoint } = await newestCheckpoint(checkpointsOf(run.folder), job);
      const done = checkpoint?.epochs.length ?? 0;
      const durable = marks.filter((name) => name === 'saved').length;
      expect(done).toBeGreaterThanOrEqual(durable);
      if (done > 0) expect(checkpoint).toEqual(saved[done - 1]);
      if (goneOnFrom.has(done)) continue;
      goneOnFrom.add(done);
      expect(sameButTimes(await trained(checkpoint, async () => {}))).toEqual(sameButTimes(last));
    }
    expect([...goneOnFrom].sort()).toEqual([0, 1, 2, 3, 4]);
    console.info(`${cuts.length} states of a training run, none unreadable, at most one epoch repeated.`);
  });

  it('leaves the weights before or the new ones, whole', async () => {
    const base = await temporaryFolder();
    const weights = join(base, 'weights');
    const before = await trained(null, async () => {});
    const after = await trained(before, async () => {});
    const metadata = { ...metadataOf([20, 64, 32, 4]), model: 'slim', learningRate: 0.01 };
    const tensors = (checkpoint: Checkpoint, bias: number) => {
      const { tensors, batchesTracked } = structuredClone(checkpoint.state);
      const blocks = toBlocks(classifierModel(job.spec), tensors, batchesTracked);
      blocks.dense[0]!.bias.fill(bias);
      return blocks;
    };
    operations.length = 0;
    await saveWeights(weights, tensors(before, 1), metadata);
    mark('old');
    await saveWeights(weights, tensors(after, 2), metadata);
    mark('new');

    const cuts = states();
    for (const { marks, state } of cuts) {
      const disk = await temporaryFolder();
      await restore(state, base, disk);
      for (const ext of ['safetensors', 'pkl']) {
        const path = join(disk, 'weights', `slim_weights_0.01.${ext}`);
        const found = await loadWeights(path).catch((error) => error);
        if (found.code === 'not-found' && !marks.includes('old')) continue;
        const bias = found.tensors?.dense[0].bias[0];
        expect(marks.includes('new') ? [2] : marks.includes('old') ? [1, 2] : [1]).toContain(bias);
      }
    }
    console.info(`${cuts.length} states of a folder of weights, none unreadable.`);
  });
});

/** A checkpoint without the times that its epochs took. */
function sameButTimes(checkpoint: Checkpoint) {
  return { ...checkpoint, epochs: checkpoint.epochs.map(({ seconds, ...figures }) => figures) };
}
