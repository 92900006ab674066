import type { CustomSeriesRenderItemAPI } from 'echarts';
import type { ModelRecord, RunResults, TestRecord } from '../records.js';
import { clip, figure, modelTitle, printable } from './format.js';
import { drawSvg, type Figure } from './svg.js';
import { FIGURE_FONTS, light, tint } from './theme.js';

/** Above this number of classes the cells hold no counts. */
export const MOST_CLASSES_WITH_COUNTS = 20;

/**
 * How strongly a cell is coloured, 0 to 1: a hit by its share of the class's samples; a miss by the square root of
 * its share, over that of `MISS_FULL`, so that confusions of a few percent can be seen.
 */
export function cellStrength(count: number, support: number, hit: boolean): number {
  if (count === 0 || support === 0) return 0;
  const share = count / support;
  return hit ? share : Math.min(1, Math.sqrt(share / MISS_FULL));
}

/** The share of a class's samples at which a miss has its full colour. */
const MISS_FULL = 0.3;

/** What the colours mean, in words. */
export const HEATMAP_KEY = 'Rows: actual class. Columns: predicted class. Blue: right. Orange: wrong.';

const HEADING = 62;
const CHARACTER = 6.8;

/** The confusion matrix of one tested model, with class names on both axes. */
export function confusionFigure({ dataset }: RunResults, model: ModelRecord & { test: TestRecord }): Figure {
  const { confusion } = model.test;
  const names = dataset.classNames.map((name) => clip(printable(name), 20));
  const counted = names.length <= MOST_CLASSES_WITH_COUNTS;
  const cell = counted ? 48 : 16;
  const longest = Math.max(...names.map((name) => [...name].length)) * CHARACTER;
  const left = 40 + longest;
  const below = counted ? 34 + longest * 0.72 : 34 + longest;
  const side = cell * names.length;
  const labels = { color: light('ink'), fontSize: counted ? 12 : 11, interval: 0 };
  const axis = {
    type: 'category',
    data: names,
    axisLine: { show: false },
    axisTick: { show: false },
    nameLocation: 'middle',
    nameTextStyle: { color: light('muted'), fontSize: 12 },
  };
  const option = {
    title: {
      text: `Confusion matrix of ${modelTitle(model)}`,
      subtext: `Test accuracy ${figure(model.test.accuracy)}, macro-F1 ${figure(model.test.macroF1)}`,
      left: 14,
      top: 10,
      textStyle: { fontSize: 15, color: light('ink') },
      subtextStyle: { fontSize: 12, color: light('muted') },
    },
    grid: { left, top: HEADING, width: side, height: side },
    xAxis: {
      ...axis,
      axisLabel: { ...labels, rotate: counted ? 45 : 90 },
      name: 'Predicted',
      nameGap: below - 18,
    },
    yAxis: { ...axis, axisLabel: labels, inverse: true, name: 'Actual', nameGap: longest + 16 },
    series: {
      type: 'custom',
      silent: true,
      data: confusion.flatMap((row, actual) => row.map((_, predicted) => [predicted, actual])),
      renderItem: (_: unknown, api: CustomSeriesRenderItemAPI) => {
        const [predicted, actual] = [Number(api.value(0)), Number(api.value(1))];
        const [x, y] = api.coord([predicted, actual]) as [number, number];
        const count = confusion[actual]![predicted]!;
        return {
          type: 'rect',
          shape: { x: x - cell / 2 + 0.5, y: y - cell / 2 + 0.5, width: cell - 1, height: cell - 1 },
          style: { fill: cellColor(confusion[actual]!, actual, predicted) },
          textConfig: { position: 'inside' },
          textContent: {
            type: 'text',
            style: {
              text: counted ? String(count) : '',
              fill: count === 0 ? light('muted') : light('ink'),
              font: `12px ${FIGURE_FONTS}`,
            },
          },
        };
      },
    },
  };
  const width = Math.max(left + side + 24, 460);
  return {
    name: `confusion-${model.model}_${model.learningRate}`,
    label: `Confusion matrix of ${modelTitle(model)}`,
    svg: drawSvg(option, width, HEADING + side + below),
  };
}

function cellColor(row: readonly number[], actual: number, predicted: number): string {
  const support = row.reduce((total, count) => total + count, 0);
  const hit = actual === predicted;
  const strength = cellStrength(row[predicted]!, support, hit);
  return strength === 0 ? light('band') : tint(hit ? 'hit' : 'miss', strength);
}
