/** `treadle/charts`: the report's own charts as SVG text, and its colours; anywhere, without a page too. */

export { diagonal, drawPlot, type Plot, type PlotSeries, SHARES } from './plots.js';
export { niceScale, type Scale } from './scale.js';
export { cellStrength } from './strength.js';
export { type Chart, embedSvg } from './svg.js';
export { calibrationChart, numberCharts, thresholdCharts, trainingCharts } from './table-charts.js';
export { type Role, TONES, type Tone } from './theme.js';
