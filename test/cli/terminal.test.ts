import { afterEach, describe, expect, it, vi } from 'vitest';
import { liveView, runShow, type Screen, type View } from '../../dist/cli/terminal.js';
import type { RunEvent } from '../../dist/results/records.js';
import { newScreen } from '../support/screen.js';

const run: RunEvent = {
  type: 'run',
  id: 'r',
  folder: 'runs/r',
  models: 12,
  parameters: { a: 1 },
  epochs: 3,
  build: 'simd',
  jobs: 2,
  threads: 2,
  resumed: false,
};
const start = (job: string): RunEvent => ({
  type: 'start',
  job,
  model: job,
  learningRate: 0.01,
  epochs: 3,
  stepsPerEpoch: 10,
  finished: [],
});
const saved = (job: string): RunEvent => ({
  type: 'saved',
  job,
  weights: [`weights/${job}_weights_0.01.safetensors`, `weights/${job}_weights_0.01.pkl`],
  kept: { epoch: 3, valMacroF1: 0.9 },
});
const jobs = Array.from({ length: 12 }, (_, index) => `model${index}`);

/** A run of twelve models, two at once, on a screen; the live lines are drawn again between all events. */
function showRun(columns: number, rows: number, between: (view: View<RunEvent>) => void) {
  const screen = newScreen(columns, rows);
  const view = liveView(
    screen as unknown as Screen,
    runShow(() => 0),
  );
  const hear = (event: RunEvent): void => {
    view.event(event);
    between(view);
  };
  hear(run);
  hear(start(jobs[0]!));
  for (const [index, job] of jobs.entries()) {
    if (index + 1 < jobs.length) hear(start(jobs[index + 1]!));
    hear(saved(job));
  }
  view.note('The end.');
  return { screen, view };
}

/** A sentence as it stands on a screen that breaks it where a line is full. */
const broken = (text: string, columns: number): string[] => text.match(new RegExp(`.{1,${columns}}`, 'g'))!;

describe('the live view', () => {
  afterEach(() => void vi.useRealTimers());

  it.each([
    [80, 24],
    [40, 12],
    [200, 60],
    [12, 3],
  ])('keeps every line that is to stay, on %i x %i', (columns, rows) => {
    vi.useFakeTimers();
    const { screen, view } = showRun(columns, rows, () => void vi.advanceTimersByTime(1000));
    view.close();
    const lines = screen.text();
    const sentences = [
      'Run r: 12 models, 3 epochs each; build simd, 2 jobs at once, 2 threads.',
      ...jobs.map(
        (job) =>
          `Saved weights/${job}_weights_0.01.safetensors and weights/${job}_weights_0.01.pkl (epoch 3, validation macro-F1 0.9000).`,
      ),
      'The end.',
    ];
    const expected = sentences.flatMap((text) => broken(text, columns)).map((line) => line.trimEnd());
    expect(lines.filter((line) => line !== '')).toEqual(expected);
  });

  it('leaves the screen to the shell while it is suspended, and draws anew afterwards', () => {
    vi.useFakeTimers();
    const { screen, view } = showRun(80, 24, () => void vi.advanceTimersByTime(1000));
    vi.advanceTimersByTime(1000);
    const live = '12 of 12 models done  elapsed 0:00';
    expect(screen.text()).toContain(live);
    view.suspend();
    expect(screen.text()).not.toContain(live);
    vi.advanceTimersByTime(1000);
    expect(screen.text()).not.toContain(live);
    screen.write('$ fg\n');
    view.resume();
    expect(screen.text().slice(-3)).toEqual(['$ fg', live, '']);
    view.close();
    expect(
      screen
        .text()
        .filter((line) => line !== '')
        .at(-1),
    ).toBe('$ fg');
  });
});
