import { figuresOf, PANELS, type PanelName } from '../metrics/figures.js';
import { figure, printable, whole } from '../results/format.js';
import type { BinaryCurves, ClassAssessment, OutputAssessment } from '../table/assess.js';
import type { EpochFigures } from '../train/loop.js';
import { diagonal, drawPlot, type PlotSeries, SHARES } from './plots.js';
import { niceScale } from './scale.js';
import type { Chart } from './svg.js';

/**
 * The figures of a training over its epochs, a chart for each kind of figure; a dot is the epoch that was kept (0: none yet). The
 * epochs may be some of all; those of an `earlier` training are drawn behind in another colour.
 *
 * @example const [loss] = trainingCharts('classification', history.epochs, history.best);
 */
export function trainingCharts(
  task: 'classification' | 'regression',
  epochs: readonly EpochFigures[],
  kept: number,
  earlier: readonly EpochFigures[] = [],
): Chart[] {
  const rows = figuresOf(task);
  return [...new Set(rows.map(({ panel }) => panel))].map((panel) => {
    const lines = rows.filter((row) => row.panel === panel);
    const behind = lines.map(({ name, side }): PlotSeries => {
      return { points: pointsOf(earlier, name), role: 'series3', as: side === 'train' ? 'dashed' : 'line' };
    });
    const series = lines.flatMap(({ name, side }, at): PlotSeries[] => {
      const points = pointsOf(epochs, name);
      const role = side === 'validation' && at > 0 && panel === 'error' ? 'series2' : 'series1';
      const best = points.filter(([epoch]) => epoch === kept);
      return side === 'train'
        ? [{ points, role, as: 'dashed' }]
        : [
            { points, role, as: 'line' },
            { points: best, role, as: 'marks' },
          ];
    });
    const last = Math.max(epochs.at(-1)?.epoch ?? 0, earlier.at(-1)?.epoch ?? 0);
    const shown = [...behind.filter(({ points }) => points.length > 0), ...series];
    return drawPlot(curves(panel, lines.map(({ title }) => title).join(' and '), last, shown));
  });
}

function pointsOf(epochs: readonly EpochFigures[], name: string): [number, number][] {
  return epochs.flatMap((figures): [number, number][] => {
    const value = figures[name as keyof EpochFigures];
    return typeof value === 'number' ? [[figures.epoch, value]] : [];
  });
}

function curves(panel: PanelName, what: string, epochs: number, series: readonly PlotSeries[]) {
  const { most } = PANELS[panel];
  const title = panel === 'error' ? 'Validation RMSE (blue), MAE (orange)' : PANELS[panel].title;
  return {
    ...{ name: `training-${panel}`, title, label: `${what} over the epochs`, x: 'Epoch', y: '', series },
    xScale: niceScale([0, Math.max(2, epochs)]),
    ...(Number.isFinite(most) && { most }),
    ...(panel !== 'r2' && { least: 0 }),
  };
}

/**
 * ROC and precision-recall curve of two classes.
 *
 * @example if (assessment.binary) thresholdCharts(assessment.binary, assessment);
 */
export function thresholdCharts(
  { roc, precisionRecall, averagePrecision }: BinaryCurves,
  { classes, scores }: ClassAssessment,
): Chart[] {
  const positive = printable(classes[1]!);
  return [
    drawPlot({
      ...{ name: 'roc', title: `ROC of ${positive}: area ${figure(scores.rocAuc)}`, label: 'ROC curve' },
      ...{ x: 'False-positive rate', y: 'True-positive rate', xScale: SHARES, yScale: SHARES },
      series: [diagonal(SHARES), { points: roc, role: 'series1', as: 'line' }],
    }),
    drawPlot({
      ...{
        name: 'precision-recall',
        title: `Precision and recall: mean ${figure(averagePrecision)}`,
        label: 'Precision-recall curve',
      },
      ...{ x: 'Recall', y: 'Precision', xScale: SHARES, yScale: SHARES },
      series: [{ points: precisionRecall, role: 'series1', as: 'line' }],
    }),
  ];
}

/**
 * How often what is said to be probable is so.
 *
 * @example document.body.innerHTML = embedSvg(calibrationChart(assess(model, held)), 'calibration');
 */
export function calibrationChart({ calibration, classes }: ClassAssessment): Chart {
  const what =
    classes.length === 2 ? `Probability of ${printable(classes[1]!)}` : 'Probability of what is said';
  return drawPlot({
    ...{ name: 'calibration', title: 'Calibration', label: 'Observed share by predicted probability' },
    ...{ x: what, y: 'Share that is so', xScale: SHARES, yScale: SHARES },
    series: [
      diagonal(SHARES),
      {
        points: calibration.map(({ predicted, observed }) => [predicted, observed] as const),
        role: 'series1',
        as: 'line',
      },
    ],
  });
}

/**
 * Predicted against true numbers, and how their differences are spread.
 *
 * @example const charts = assessment.outputs.flatMap(numberCharts);
 */
export function numberCharts({ name, sample, residuals }: OutputAssessment): Chart[] {
  const shown = printable(name);
  const scale = niceScale(sample.flat());
  const width = (residuals.to - residuals.from) / residuals.counts.length;
  const steps = residuals.counts.map((count, at) => [residuals.from + at * width, count] as const);
  return [
    drawPlot({
      name: 'predicted-true',
      title: `${shown}: predicted against true`,
      label: `Predicted against true ${shown}, ${whole(sample.length)} rows`,
      ...{ x: 'True', y: 'Predicted', xScale: scale, yScale: scale },
      series: [diagonal(scale), { points: sample, role: 'series1', as: 'dots' }],
    }),
    drawPlot({
      name: 'residuals',
      title: `${shown}: true less predicted`,
      label: `How many rows have which residual of ${shown}`,
      ...{ x: 'Residual', y: 'Rows', least: 0 },
      series: [{ points: [...steps, [residuals.to, 0]], role: 'series1', as: 'steps' }],
    }),
  ];
}
