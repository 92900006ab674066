import type { EChartsCoreOption } from 'echarts/core';
import { type Scale, tickLabel } from './scale.js';
import { light } from './theme.js';

/** A part of a chart with axes of its own, in the chart library's terms. */
export interface Panel {
  title: object;
  grid: object;
  xAxis: object;
  yAxis: object[];
  series: object[];
}

/** Style of the texts along an axis. */
export function axisText() {
  return { color: light('muted'), fontSize: 11 };
}

/** A panel's heading. */
export function panelTitle(text: string, left: number, top: number): object {
  return { text, left, top, textStyle: { fontSize: 13, color: light('ink') } };
}

/** A numeric axis of the index-th panel. */
export function valueAxis(scale: Scale, index: number): object {
  return {
    type: 'value',
    gridIndex: index,
    min: scale.min,
    max: scale.max,
    interval: scale.interval,
    splitLine: { lineStyle: { color: light('line') } },
    axisLabel: { ...axisText(), formatter: (value: number) => tickLabel(value, scale) },
  };
}

/** The panels' part of a chart's option. */
export function combine(panels: readonly Panel[]): EChartsCoreOption {
  return {
    grid: panels.map(({ grid }) => grid),
    xAxis: panels.map(({ xAxis }) => xAxis),
    yAxis: panels.flatMap(({ yAxis }) => yAxis),
    series: panels.flatMap(({ series }) => series),
  };
}
