import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type { AbortSignalLike } from '#bindings';
import { ensureWritableFolder, writeFileAtomic } from '../node/files.js';
import type { RunResults } from '../results/records.js';
import { throwIfAborted } from '../strict/abort.js';
import { comparisonChart, hasComparison } from './comparison.js';
import { curvesChart, hasCurves } from './curves.js';
import { drawnTests } from './ensemble.js';
import { confusionChart } from './heatmap.js';
import { reportHtml } from './html.js';
import { svgToPng } from './png.js';
import type { Chart } from './svg.js';

/** Paths of the files that make up a report. */
export interface WrittenReport {
  html: string;
  /** Every chart as SVG and as PNG. */
  charts: string[];
}

/** How the writing of a report is followed and stopped. */
export interface ReportOptions {
  /** Called before each step with the number of steps that are done, and of all. */
  onProgress?: (done: number, steps: number) => void;
  /** Looked at before each step. */
  signal?: AbortSignalLike | undefined;
}

/**
 * Writes every chart as SVG and PNG under `figures/`, and then `report.html`, into a run's folder; needs nothing
 * but the results. Throws `unwritable`, and `interrupted` when the signal has aborted; what is written by then stays.
 */
export async function writeReport(
  folder: string,
  results: RunResults,
  { onProgress = () => {}, signal }: ReportOptions = {},
): Promise<WrittenReport> {
  const html = join(folder, 'report.html');
  const drawers = chartDrawers(results);
  const drawn: Chart[] = [];
  const charts: string[] = [];
  const step = async (): Promise<void> => {
    onProgress(drawn.length, drawers.length + 1);
    // Drawing blocks the event loop; signals arrive here.
    await setImmediate();
    throwIfAborted(signal, 'The report');
  };
  await ensureWritableFolder(join(folder, 'figures'));
  for (const draw of drawers) {
    await step();
    const chart = draw();
    const path = join(folder, 'figures', chart.name);
    await writeFileAtomic(`${path}.svg`, chart.svg);
    await writeFileAtomic(`${path}.png`, await svgToPng(chart));
    drawn.push(chart);
    charts.push(`${path}.svg`, `${path}.png`);
  }
  await step();
  await writeFileAtomic(html, reportHtml(results, drawn));
  return { html, charts };
}

/** Every chart of a report. */
export function chartsOf(results: RunResults): Chart[] {
  return chartDrawers(results).map((draw) => draw());
}

/** A function for each chart of a report, that draws it. */
function chartDrawers(results: RunResults): (() => Chart)[] {
  return [
    ...(hasComparison(results) ? [() => comparisonChart(results)] : []),
    ...results.config.architectures
      .filter(({ name }) => hasCurves(results, name))
      .map(
        ({ name }) =>
          () =>
            curvesChart(results, name),
      ),
    ...drawnTests(results).map((test) => () => confusionChart(results, test)),
  ];
}
