import {
  type Chart,
  calibrationChart,
  embedSvg,
  numberCharts,
  thresholdCharts,
  trainingCharts,
} from 'treadle/charts';
import type { ChartsOf, ChartsRequest } from './messages.ts';

/** Draws the report's charts beside the page's own thread: none of them holds it up. */
function draw(request: ChartsOf): Chart[] {
  switch (request.kind) {
    case 'training':
      return trainingCharts(request.task, request.epochs, request.best, request.earlier);
    case 'classes':
      return [
        ...(request.assessment.binary === null
          ? []
          : thresholdCharts(request.assessment.binary, request.assessment)),
        calibrationChart(request.assessment),
      ];
    case 'numbers':
      return request.assessment.outputs.flatMap(numberCharts);
  }
}

self.onmessage = ({ data: { id, prefix, of } }: MessageEvent<ChartsRequest>) => {
  const charts = draw(of).map((chart) => ({
    name: chart.name,
    svg: embedSvg(chart, `${prefix}-${chart.name}`),
  }));
  postMessage({ id, charts });
};
