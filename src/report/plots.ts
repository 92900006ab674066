import { axisText, panelTitle, valueAxis } from './panel.js';
import { niceScale, type Scale } from './scale.js';
import { type Chart, drawChart } from './svg.js';
import { light, type Role } from './theme.js';

/** Something that is drawn over two axes of numbers. */
export interface PlotSeries {
  readonly points: readonly (readonly [x: number, y: number])[];
  readonly role: Role;
  /** A line through the points, dots, large dots, or steps over an area, each as wide as the points are apart. */
  readonly as: 'line' | 'dashed' | 'dots' | 'marks' | 'steps';
}

/** A chart of one panel. */
export interface Plot {
  readonly name: string;
  readonly title: string;
  /** What it shows, for people who do not see it. */
  readonly label: string;
  readonly x: string;
  readonly y: string;
  readonly series: readonly PlotSeries[];
  /** Fixed axes, where the values alone should not decide them. */
  readonly xScale?: Scale;
  readonly yScale?: Scale;
  /** Ends of the axes that no value lies beyond. */
  readonly least?: number;
  readonly most?: number;
}

const SIZE = { width: 372, height: 300 };
const MARGIN = { left: 62, right: 16, top: 52, bottom: 48 };

/** The axis of shares and probabilities. */
export const SHARES: Scale = { min: 0, max: 1, interval: 0.2, digits: 1 };

/**
 * The points of a diagonal over an axis.
 *
 * @example const series = [diagonal(SHARES)];
 */
export const diagonal = ({ min, max }: Scale): PlotSeries => ({
  points: [
    [min, min],
    [max, max],
  ],
  role: 'muted',
  as: 'dashed',
});

/**
 * Draws a plot.
 *
 * @example drawPlot({ name: 'a', title: 'A', label: 'A line', x: 'x', y: 'y', series: [diagonal(SHARES)] }).svg;
 */
export function drawPlot({ name, title, label, x, y, series, xScale, yScale, least, most }: Plot): Chart {
  const points = series.flatMap((own) => own.points);
  const ends = { ...(least !== undefined && { least }), ...(most !== undefined && { most }) };
  const [across, up] = [
    xScale ?? niceScale(points.map((point) => point[0])),
    yScale ??
      niceScale(
        points.map((point) => point[1]),
        ends,
      ),
  ];
  const axis = { axisLine: { show: false }, axisTick: { show: false }, nameTextStyle: axisText() };
  return drawChart(
    { name, label, ...SIZE },
    {
      title: panelTitle(title, 6, 8),
      grid: {
        left: MARGIN.left,
        top: MARGIN.top,
        width: SIZE.width - MARGIN.left - MARGIN.right,
        height: SIZE.height - MARGIN.top - MARGIN.bottom,
      },
      xAxis: { ...valueAxis(across, 0), ...axis, name: x, nameLocation: 'middle', nameGap: 28 },
      yAxis: { ...valueAxis(up, 0), ...axis, name: y, nameLocation: 'end', nameGap: 8 },
      series: series.map(drawn),
    },
  );
}

function drawn({ points, role, as }: PlotSeries): object {
  const color = light(role);
  const common = { silent: true, data: points, itemStyle: { color } };
  switch (as) {
    case 'dots':
      return { ...common, type: 'scatter', symbolSize: 4, itemStyle: { color, opacity: 0.45 } };
    case 'marks':
      return {
        ...{ ...common, type: 'scatter', symbolSize: 9, z: 4 },
        itemStyle: { color, opacity: 1, borderColor: light('paper'), borderWidth: 1.5 },
      };
    case 'steps':
      return {
        ...common,
        type: 'line',
        step: 'end',
        symbol: 'none',
        lineStyle: { color, width: 1.5 },
        areaStyle: { color, opacity: 0.25 },
      };
    case 'dashed':
      return { ...common, type: 'line', symbol: 'none', lineStyle: { color, width: 1.2, type: [5, 4] } };
    default:
      return {
        ...common,
        type: 'line',
        symbol: 'circle',
        symbolSize: 6,
        showSymbol: points.length <= 20,
        lineStyle: { color, width: 2 },
      };
  }
}
