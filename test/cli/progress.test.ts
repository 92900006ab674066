import { describe, expect, it } from 'vitest';
import { clock, eventLine, liveLines, newProgress, updateProgress } from '../../dist/cli/progress.js';
import type { EpochRecord, RunEvent } from '../../dist/results/records.js';

const run: RunEvent = {
  type: 'run',
  id: 'r',
  folder: 'runs/r',
  models: 4,
  parameters: { big: 3, tiny: 1 },
  epochs: 10,
  build: 'simd',
  jobs: 2,
  threads: 2,
  resumed: false,
};
const start: Extract<RunEvent, { type: 'start' }> = {
  type: 'start',
  job: 'big_0.1',
  model: 'big',
  learningRate: 0.1,
  epochs: 10,
  stepsPerEpoch: 100,
  finished: [],
};
const step: RunEvent = {
  type: 'step',
  job: 'big_0.1',
  epoch: 1,
  step: 50,
  steps: 100,
  loss: 0.51234,
  samplesPerSecond: 12345.6,
  threads: 2,
};
const record: EpochRecord = {
  epoch: 1,
  trainLoss: 0.5,
  trainAccuracy: 0.8,
  valLoss: 0.4,
  valAccuracy: 0.85,
  valMacroF1: 0.84,
  seconds: 5.25,
};
const epoch: RunEvent = {
  type: 'epoch',
  job: 'big_0.1',
  model: 'big',
  learningRate: 0.1,
  threads: 1,
  ...record,
};
const warning: RunEvent = { type: 'warning', job: 'big_0.1', message: 'Its thread died.' };
/** The start of a model whose first epochs a checkpoint holds. */
const startAfter = (epochs: number): RunEvent => ({
  ...start,
  finished: Array.from({ length: epochs }, (_, index) => ({ ...record, epoch: index + 1 })),
});
const saved: RunEvent = {
  type: 'saved',
  job: 'big_0.1',
  weights: ['w.safetensors', 'w.pkl'],
  kept: { epoch: 7, valMacroF1: 0.9 },
};
const failed: RunEvent = {
  type: 'failed',
  job: 'big_0.1',
  model: 'big',
  learningRate: 0.1,
  code: 'diverged',
  message: 'It diverged.',
};

/** Two architectures, one three times as costly as the other, two rates each. */
function progressAfter(...events: RunEvent[]) {
  const progress = newProgress(0);
  for (const event of events) updateProgress(progress, event, 1000);
  return progress;
}

describe('liveLines', () => {
  it('shows a running model and the whole', () => {
    // Half of the first of ten epochs took 2 s, so 38 s are left of the model.
    // The whole is 2 x 10 x (3 + 1) = 80 units, of which 1.5 took 2 s: 104.7 s are left.
    expect(liveLines(progressAfter(run, start, step), 3000, 200)).toEqual([
      'big 0.1  epoch  1/10  step  50/100  loss 0.5123  12,346 samples/s  left 0:38  2 threads',
      '0 of 4 models done  elapsed 0:02  left 1:45',
    ]);
  });

  it('goes on to the next epoch when one ends', () => {
    const [model] = liveLines(progressAfter(run, start, step, epoch), 3000, 200);
    expect(model).toContain('epoch  2/10  step   0/100');
  });

  it('shows no speed and no time left before the first step', () => {
    expect(liveLines(progressAfter(run, start), 3000, 200)).toEqual([
      'big 0.1  epoch  1/10  step   0/100  loss -',
      '0 of 4 models done  elapsed 0:02',
    ]);
  });

  it('counts models that are done and that failed', () => {
    expect(liveLines(progressAfter(run, start, epoch, saved), 3000, 200).at(-1)).toMatch(
      /^1 of 4 models done {2}elapsed/,
    );
    expect(liveLines(progressAfter(run, start, failed), 3000, 200)).toEqual([
      '0 of 4 models done  1 failed  elapsed 0:02',
    ]);
  });

  it('takes the work of a failed model out of what is left', () => {
    // 80 units less the 9 epochs of 3 that will not be trained: 53, of which 3 took 2 s.
    const [whole] = liveLines(progressAfter(run, start, epoch, failed), 3000, 200);
    expect(whole).toContain('left 0:33');
  });

  it('goes on after the epochs of a checkpoint, which are no work of this run', () => {
    // Of the model, half of the fifth to tenth epochs took 2 s. Of the whole, 80 - 4 x 3 = 68 units are to do, and 1.5 done.
    const progress = progressAfter({ ...run, resumed: true }, startAfter(4), { ...step, epoch: 5 });
    expect(liveLines(progress, 3000, 200)).toEqual([
      'big 0.1  epoch  5/10  step  50/100  loss 0.5123  12,346 samples/s  left 0:22  2 threads',
      '0 of 4 models done  elapsed 0:02  left 1:29',
    ]);
  });

  it('shows a model that a checkpoint holds entirely until it is saved', () => {
    const progress = progressAfter({ ...run, resumed: true }, startAfter(10));
    expect(liveLines(progress, 3000, 200)).toEqual([
      'big 0.1  epoch 10/10  step   0/100  loss -',
      '0 of 4 models done  elapsed 0:02',
    ]);
    updateProgress(progress, saved, 3000);
    expect(liveLines(progress, 3000, 200)).toEqual(['1 of 4 models done  elapsed 0:02']);
  });

  it('counts epochs that a restarted model has lost as work again, and those it has kept once', () => {
    const second = { ...epoch, epoch: 2 } as RunEvent;
    // 80 units, of which 6 took 2 s.
    const kept = progressAfter(run, start, epoch, second, warning, startAfter(2));
    expect(liveLines(kept, 3000, 200).at(-1)).toContain('left 0:25');
    // 80 + 2 x 3 units, of which 6 took 2 s.
    const lost = progressAfter(run, start, epoch, second, warning, startAfter(0));
    expect(liveLines(lost, 3000, 200).at(-1)).toContain('left 0:27');
  });

  it('takes only the epochs that are left out when a resumed model fails', () => {
    // 80 - 4 x 3 that were done before, less 5 x 3 that will not be trained: 53, of which 3 took 2 s.
    const progress = progressAfter(run, startAfter(4), { ...epoch, epoch: 5 } as RunEvent, failed);
    expect(liveLines(progress, 3000, 200)[0]).toContain('left 0:33');
  });

  it('leaves out what does not fit, the end first, and never exceeds the width', () => {
    const progress = progressAfter(run, start, step);
    expect(liveLines(progress, 3000, 40)[0]).toBe('big 0.1  epoch  1/10  step  50/100');
    for (let width = 0; width < 120; width++) {
      for (const line of liveLines(progress, 3000, width)) expect(line.length).toBeLessThanOrEqual(width);
    }
  });
});

describe('eventLine', () => {
  it('has all figures of an epoch', () => {
    expect(eventLine(epoch, 10)).toBe(
      'big 0.1  epoch 1/10  train loss 0.5000  train accuracy 0.8000  validation loss 0.4000  validation accuracy 0.8500  validation macro-F1 0.8400  5.3 s',
    );
  });

  it('writes what is very large or very small with an exponent', () => {
    const large = {
      ...epoch,
      learningRate: 1e20,
      trainLoss: 1.0259847610411246e20,
      valLoss: 1.310563162073905e26,
    };
    const text = eventLine({ ...large, valMacroF1: 0.00001 } as RunEvent, 2);
    expect(text).toContain('big 1e+20  epoch 1/2  train loss 1.026e+20');
    expect(text).toContain(
      'validation loss 1.311e+26  validation accuracy 0.8500  validation macro-F1 1.000e-5',
    );
    const progress = progressAfter(run, { ...start, learningRate: 1e20 }, {
      ...step,
      loss: 3e30,
    } as RunEvent);
    expect(liveLines(progress, 3000, 200)[0]).toMatch(/^big 1e\+20 {2}epoch {2}1\/10 .* loss 3\.000e\+30 /);
  });

  it('tells what was saved and what failed', () => {
    expect(eventLine(saved, 10)).toBe('Saved w.safetensors and w.pkl (epoch 7, validation macro-F1 0.9000).');
    expect(eventLine(failed, 10)).toBe('Failed: It diverged.');
  });

  it('tells a run, whether it is resumed, and a warning', () => {
    expect(eventLine(run, 10)).toBe(
      'Run r: 4 models, 10 epochs each; build simd, 2 jobs at once, 2 threads.',
    );
    expect(eventLine({ ...run, resumed: true } as RunEvent, 10)).toMatch(/^Run r resumed: 4 models/);
    expect(eventLine(warning, 10)).toBe('Warning: Its thread died.');
  });

  it('says nothing of steps', () => {
    expect(eventLine(step, 10)).toBeNull();
  });
});

describe('clock', () => {
  it.each([
    [0, '0:00'],
    [59.4, '0:59'],
    [59.6, '1:00'],
    [3599, '59:59'],
    [3600, '1:00:00'],
    [7384, '2:03:04'],
    [-3, '0:00'],
  ])('writes %s seconds as %s', (seconds, text) => {
    expect(clock(seconds)).toBe(text);
  });
});
