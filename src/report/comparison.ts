import { isCompared, type PublishedFigures, publishedFigures } from '../results/compare.js';
import { clip, endOf, figure, furtherTitle, modelTitle } from '../results/format.js';
import type { ModelRecord, RunResults } from '../results/records.js';
import { combine, type Panel, panelTitle, valueAxis } from './panel.js';
import { niceScale } from './scale.js';
import { type Chart, drawChart } from './svg.js';
import { light } from './theme.js';

/** A figure of a model that is compared with the published one. */
export interface Comparison {
  name: 'validation' | 'test';
  title: string;
  own: (model: ModelRecord) => number | null;
  published: (figures: PublishedFigures) => number | null;
}

/** The panels of the comparison, from left to right. */
export const COMPARISONS: readonly Comparison[] = [
  {
    name: 'test',
    title: 'Test macro-F1',
    own: ({ test }) => test?.macroF1 ?? null,
    published: ({ testMacroF1 }) => testMacroF1,
  },
  {
    name: 'validation',
    title: 'Validation macro-F1 of the kept epoch',
    own: ({ kept }) => kept?.valMacroF1 ?? null,
    published: ({ valMacroF1 }) => valMacroF1,
  },
];

const ROW = 24;
const MARGIN = { left: 130, right: 62, top: 42, bottom: 34 };
const WIDTH = 400;
/** The most characters of a model's name with its rate. */
const MOST_CHARACTERS = 18;
/** Room for each character of what tells models of one rate apart, in pixels. */
const FURTHER = 6;
/** Where headings start, in pixels from the left of their panel. */
const INSET = 6;
const HEADING = 62;

/** Whether any model has a score to draw. */
export function hasComparison({ models }: RunResults): boolean {
  return models.some((model) => COMPARISONS.some(({ own }) => own(model) !== null));
}

/** Macro-F1 of every model, with the published one where there is one: test and validation side by side. */
export function comparisonChart(results: RunResults): Chart {
  const parts = COMPARISONS.map((comparison, index) => panel(results, comparison, index, HEADING));
  const option = {
    ...combine(parts),
    title: [
      {
        text: 'Macro-F1 of every model',
        subtext: comparisonKey(results),
        left: INSET,
        top: 10,
        textStyle: { fontSize: 17, color: light('ink') },
        subtextStyle: { fontSize: 12, color: light('muted') },
      },
      ...parts.map(({ title }) => title),
    ],
  };
  const label = 'Test and validation macro-F1 of every model';
  const size = { width: WIDTH * parts.length, height: HEADING + panelHeight(results) };
  return drawChart({ name: 'comparison', label, ...size }, option);
}

/** One panel of the comparison, for a page that has its own heading. */
export function comparisonPanel(results: RunResults, comparison: Comparison): Chart {
  const part = panel(results, comparison, 0, 0);
  const option = { ...combine([part]), title: part.title };
  const label = `${comparison.title} of every model`;
  const size = { width: WIDTH, height: panelHeight(results) };
  return drawChart({ name: `comparison-${comparison.name}`, label, ...size }, option);
}

/** What the marks mean, in words. */
export function comparisonKey(results: RunResults): string {
  const own = 'Dot and figure: this run; the best model in bold.';
  return isCompared(results) ? `${own} Diamond: the published report, where it prints the figure.` : own;
}

function panelHeight({ models }: RunResults): number {
  return MARGIN.top + models.length * ROW + MARGIN.bottom;
}

function panel(results: RunResults, comparison: Comparison, index: number, top: number): Panel {
  const { models } = results;
  const left = MARGIN.left + FURTHER * Math.max(0, ...models.map(({ id }) => furtherTitle(id).length));
  const own = models.map(comparison.own);
  const published = models.map((model) => {
    const figures = publishedFigures(results, model);
    return figures === null ? null : comparison.published(figures);
  });
  const scale = niceScale(
    [...own, ...published].filter((value) => value !== null),
    { steps: 4, most: 1 },
  );
  return {
    title: panelTitle(comparison.title, index * WIDTH + INSET, top + 10),
    grid: {
      left: index * WIDTH + left,
      top: top + MARGIN.top,
      width: WIDTH - left - MARGIN.right,
      height: models.length * ROW,
    },
    xAxis: valueAxis(scale, index),
    yAxis: rowAxes(results, own, index),
    series: marks(own, published, index),
  };
}

/** The models' names to the left of their rows and this run's scores to the right, those of the best in bold. */
function rowAxes({ models, best }: RunResults, own: readonly (number | null)[], index: number): object[] {
  const axis = {
    type: 'category',
    gridIndex: index,
    inverse: true,
    axisLine: { show: false },
    axisTick: { show: false },
    axisLabel: {
      interval: 0,
      fontSize: 12,
      color: light('ink'),
      rich: { best: { fontWeight: 'bold', fontSize: 12, color: light('ink') } },
      formatter: (value: string, row: number) => (models[row]?.id === best ? `{best|${value}}` : value),
    },
  };
  const scores = own.map((value, row) =>
    models[row]!.error === undefined ? figure(value) : endOf(models[row]!),
  );
  return [
    { ...axis, data: models.map(shortTitle) },
    { ...axis, position: 'right', data: scores },
  ];
}

/** A diamond for each published score, a dot for each of this run, and a line between the two. */
function marks(
  own: readonly (number | null)[],
  published: readonly (number | null)[],
  index: number,
): object[] {
  const mark = { xAxisIndex: index, yAxisIndex: 2 * index, silent: true, type: 'scatter' };
  return [
    {
      ...mark,
      symbol: 'diamond',
      symbolSize: 12,
      data: points(published),
      itemStyle: { color: light('paper'), opacity: 1, borderColor: light('published'), borderWidth: 2 },
    },
    {
      ...mark,
      symbolSize: 10,
      data: points(own),
      itemStyle: { color: light('series1'), opacity: 1 },
      markLine: {
        silent: true,
        z: 1,
        symbol: 'none',
        label: { show: false },
        lineStyle: { color: light('published'), width: 1.5, type: 'solid' },
        data: own.flatMap((value, row) =>
          value === null || published[row] === null
            ? []
            : [[{ coord: [value, row] }, { coord: [published[row], row] }]],
        ),
      },
    },
  ];
}

/** A model's name beside its row: a long one is cut, its rate never. */
function shortTitle({ model, learningRate, id }: ModelRecord): string {
  const name = clip(model, Math.max(1, MOST_CHARACTERS - ` at ${learningRate}`.length));
  return modelTitle({ model: name, learningRate, id });
}

function points(values: readonly (number | null)[]): [number, number][] {
  return values.flatMap((value, row): [number, number][] => (value === null ? [] : [[value, row]]));
}
