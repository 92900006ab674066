import type { CustomSeriesRenderItemAPI } from 'echarts';
import { encode } from 'fast-png';
import type { ConfusionMatrix } from '../metrics/classification.js';
import { clip, figure, printable } from '../results/format.js';
import type { RunResults } from '../results/records.js';
import type { DrawnTest } from './drawn-test.js';
import { cellStrength } from './strength.js';
import { type Chart, drawChart } from './svg.js';
import { CHART_FONTS, channels, light, tint } from './theme.js';

/** Above this number of classes the cells hold no counts. */
export const MOST_CLASSES_WITH_COUNTS = 20;

/** What the colours mean, in words. */
export const HEATMAP_KEY = 'Rows: actual class. Columns: predicted class. Blue: right. Orange: wrong.';

const HEADING = 62;
/** Mean width of a class name's character, in pixels. */
const CHARACTER = 6.8;
/** Sides of a cell with and without a count, in pixels. */
const CELL = { counted: 48, plain: 16 };
/** Side of a matrix whose plain cells have to be smaller, in pixels. */
const SIDE = 1024;
/** Cells of at least so many pixels are separated by a line. */
const SMALLEST_PARTED_CELL = 8;
/** Least distance between two class names, in pixels. */
const NAME_PITCH = 13;

/** The confusion matrix of a test, with class names on both axes. */
export function confusionChart(
  { dataset: { classNames } }: { dataset: Pick<RunResults['dataset'], 'classNames'> },
  { name, title, test }: DrawnTest,
): Chart {
  const { confusion } = test;
  const names = classNames.map((name) => clip(printable(name), 20));
  const counted = names.length <= MOST_CLASSES_WITH_COUNTS;
  const cell = counted ? CELL.counted : plainCell(names.length);
  const longest = names.reduce((most, name) => Math.max(most, [...name].length), 0) * CHARACTER;
  const left = 40 + longest;
  const below = counted ? 34 + longest * 0.72 : 34 + longest;
  const side = cell * names.length;
  const interval = Math.ceil(NAME_PITCH / cell) - 1;
  const labels = { color: light('ink'), fontSize: counted ? 12 : 11, interval };
  const parted = !counted && cell >= SMALLEST_PARTED_CELL;
  const axis = {
    type: 'category',
    data: names,
    axisLine: { show: false },
    axisTick: { show: false },
    splitLine: { show: parted, interval: 0, lineStyle: { color: light('paper'), width: 1 } },
    // The lines lie over the cells.
    z: parted ? 3 : 0,
    nameLocation: 'middle',
    nameTextStyle: { color: light('muted'), fontSize: 12 },
  };
  const option = {
    title: {
      text: `Confusion matrix of ${title}`,
      subtext: `Test accuracy ${figure(test.accuracy)}, macro-F1 ${figure(test.macroF1)}`,
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
    series: counted ? countedCells(confusion, cell) : plainCells(confusion, left, side),
  };
  const label = `Confusion matrix of ${title}`;
  const size = { width: Math.max(left + side + 24, 460), height: HEADING + side + below };
  return drawChart({ name, label, ...size }, option);
}

function plainCell(classes: number): number {
  return Math.max(1, Math.min(CELL.plain, Math.floor(SIDE / classes)));
}

/** A rectangle with its count for each cell. */
function countedCells(confusion: ConfusionMatrix, cell: number): object {
  const strengths = strengthsOf(confusion);
  return {
    type: 'custom',
    silent: true,
    data: confusion.flatMap((row, actual) => row.map((_, predicted) => [predicted, actual])),
    renderItem: (_: unknown, api: CustomSeriesRenderItemAPI) => {
      const [predicted, actual] = [Number(api.value(0)), Number(api.value(1))];
      const [x, y] = api.coord([predicted, actual]) as [number, number];
      const count = confusion[actual]![predicted]!;
      const strength = strengths[actual]![predicted]!;
      return {
        type: 'rect',
        shape: { x: x - cell / 2 + 0.5, y: y - cell / 2 + 0.5, width: cell - 1, height: cell - 1 },
        style: { fill: strength === 0 ? light('band') : tint(roleOf(actual, predicted), strength) },
        textConfig: { position: 'inside' },
        textContent: {
          type: 'text',
          style: {
            text: String(count),
            fill: count === 0 ? light('muted') : light('ink'),
            font: `12px ${CHART_FONTS}`,
          },
        },
      };
    },
  };
}

/** All cells as one image of a pixel each: a shape for each would be too many. */
function plainCells(confusion: ConfusionMatrix, left: number, side: number): object {
  const place = { x: left, y: HEADING, width: side, height: side };
  return {
    type: 'custom',
    silent: true,
    data: [0],
    renderItem: () => ({
      type: 'group',
      children: [
        { type: 'rect', shape: place, style: { fill: light('band') } },
        { type: 'image', style: { ...place, image: cellImage(confusion) } },
      ],
    }),
  };
}

/** A PNG, as a `data:` URL, with a pixel for each cell; its opacity is the cell's strength. */
function cellImage(confusion: ConfusionMatrix): string {
  const colors = { hit: channels(light('hit')), miss: channels(light('miss')) };
  const pixels = strengthsOf(confusion).flatMap((row, actual) =>
    row.flatMap((strength, predicted) => [...colors[roleOf(actual, predicted)], Math.round(255 * strength)]),
  );
  const side = confusion.length;
  const png = encode({ width: side, height: side, channels: 4, depth: 8, data: Uint8Array.from(pixels) });
  return `data:image/png;base64,${Buffer.from(png).toString('base64')}`;
}

function strengthsOf(confusion: ConfusionMatrix): number[][] {
  return confusion.map((row, actual) => {
    const support = row.reduce((total, count) => total + count, 0);
    return row.map((count, predicted) => cellStrength(count, support, actual === predicted));
  });
}

function roleOf(actual: number, predicted: number): 'hit' | 'miss' {
  return actual === predicted ? 'hit' : 'miss';
}
