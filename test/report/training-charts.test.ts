import { describe, expect, it } from 'vitest';
import { embedSvg, trainingCharts } from '../../dist/report/charts.js';
import { TONES } from '../../dist/report/theme.js';
import type { EpochFigures } from '../../dist/train/loop.js';

const epochs = (count: number, every = 1): EpochFigures[] =>
  Array.from({ length: count }, (_, at) => ({
    epoch: 1 + at * every,
    trainLoss: 1 / (1 + at),
    valLoss: 1.2 / (1 + at),
    trainAccuracy: 0.5,
    valAccuracy: 0.5,
    valMacroF1: 0.5,
    seconds: 1,
  })) as EpochFigures[];

describe('charts of a training', () => {
  it('have no dot before an epoch is kept, and one then', () => {
    const [before] = trainingCharts('classification', epochs(4), 0);
    const [after] = trainingCharts('classification', epochs(4), 2);
    // The dot alone has a border, of the paper.
    const dots = (svg: string) => svg.split(`stroke="${TONES.paper.light}"`).length - 1;
    expect(dots(after!.svg)).toBe(dots(before!.svg) + 1);
  });

  it('lay an earlier training behind, and are as long as the longer of the two', () => {
    const [alone] = trainingCharts('classification', epochs(4), 0);
    const [both] = trainingCharts('classification', epochs(4), 0, epochs(30));
    expect(alone!.svg).not.toContain(TONES.series3.light);
    expect(both!.svg).toContain(TONES.series3.light);
    expect(both!.svg).toMatch(/>30</);
  });

  it('take some epochs of all', () => {
    const [chart] = trainingCharts('classification', epochs(5, 100), 0);
    expect(chart!.svg).toMatch(/>400</);
  });

  it('have the colours of the page that they are put into', () => {
    const [chart] = trainingCharts('classification', epochs(4), 0);
    expect(embedSvg(chart!, 'loss')).toContain('var(--series1)');
  });
});
