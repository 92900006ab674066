import { join } from 'node:path';
import { throwIfAborted } from '../abort.js';
import { ensureWritableFolder, writeFileAtomic } from '../files.js';
import type { RunResults } from '../records.js';
import { comparisonFigure, hasComparison } from './comparison.js';
import { curvesFigure, hasCurves } from './curves.js';
import { confusionFigure } from './heatmap.js';
import { reportHtml } from './html.js';
import { svgToPng } from './png.js';
import { epochsCsv } from './results.js';
import type { Figure } from './svg.js';

/**
 * Writes a run's `results.json` and `epochs.csv` into its folder, and returns the path of `results.json`.
 * Throws `unwritable`.
 */
export async function writeResults(folder: string, results: RunResults): Promise<string> {
  const file = join(folder, 'results.json');
  await writeFileAtomic(join(folder, 'epochs.csv'), epochsCsv(results));
  await writeFileAtomic(file, resultsJson(results));
  return file;
}

/** Indented JSON with each list of numbers on one line. */
function resultsJson(results: RunResults): string {
  const lists = /\[\n\s*(-?\d[^[\]{}"]*?)\n\s*\]/g;
  const json = JSON.stringify(results, null, 2);
  return `${json.replace(lists, (_, numbers: string) => `[${numbers.replace(/\s+/g, ' ')}]`)}\n`;
}

/** Paths of the files that make up a report. */
export interface WrittenReport {
  html: string;
  /** Every figure as SVG and as PNG. */
  figures: string[];
}

/**
 * Writes `report.html`, and every figure as SVG and PNG under `figures/`, into a run's folder; needs nothing but
 * the results. Throws `unwritable`, and `interrupted` between two files once the signal has aborted.
 */
export async function writeReport(
  folder: string,
  results: RunResults,
  signal?: AbortSignal,
): Promise<WrittenReport> {
  const html = join(folder, 'report.html');
  await writeFileAtomic(html, reportHtml(results));
  const figures: string[] = [];
  await ensureWritableFolder(join(folder, 'figures'));
  for (const { name, svg } of figuresOf(results)) {
    throwIfAborted(signal, 'The report');
    const path = join(folder, 'figures', name);
    await writeFileAtomic(`${path}.svg`, svg);
    await writeFileAtomic(`${path}.png`, await svgToPng(svg));
    figures.push(`${path}.svg`, `${path}.png`);
  }
  throwIfAborted(signal, 'The report');
  return { html, figures };
}

/** Every figure of a report. */
export function figuresOf(results: RunResults): Figure[] {
  return [
    ...(hasComparison(results) ? [comparisonFigure(results)] : []),
    ...results.config.architectures
      .filter(({ name }) => hasCurves(results, name))
      .map(({ name }) => curvesFigure(results, name)),
    ...results.models.flatMap(({ test, ...model }) =>
      test === null ? [] : [confusionFigure(results, { ...model, test })],
    ),
  ];
}
