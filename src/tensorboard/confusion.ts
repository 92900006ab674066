import { type ConfusionMatrix, classificationScores } from '../metrics/classification.js';
import { confusionChart } from '../report/heatmap.js';
import { svgToPng } from '../report/png.js';
import type { RunResults, TestRecord } from '../results/records.js';

/** A confusion matrix as a PNG, as reports draw it. */
export function confusionPng(confusion: ConfusionMatrix, names: readonly string[]): Promise<Uint8Array> {
  const { accuracy, macro } = classificationScores(confusion);
  const test = { accuracy, macroF1: macro.f1, confusion } as unknown as TestRecord;
  // The chart reads the names alone of a run's results.
  const results = { dataset: { classNames: names } } as unknown as RunResults;
  return svgToPng(confusionChart(results, { name: 'confusion', title: 'the test', test }));
}
