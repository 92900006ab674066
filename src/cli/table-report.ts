import { basename } from 'node:path';
import { ensureWritableFile, writeFileAtomic } from '../node/files.js';
import type { TableRecord } from '../report/table-report.js';
import { assess } from '../table/assess.js';
import { targetNames } from '../table/encoder.js';
import { divided } from '../table/search/parts.js';
import type { SearchResults } from '../table/search/results.js';
import type { Importance, TableModel } from '../table/table-model.js';
import type { TrainOptions } from './fit-options.js';
import { type FitRows, VALIDATION } from './fit-rows.js';

/** What a model's training leaves for its report. */
export interface Trained {
  model: TableModel;
  rows: FitRows;
  /** Rows that were trained on, and that ended training. */
  counts: { train: number; validation: number };
  epochs: TableRecord['epochs'];
  kept: number;
  importance: readonly Importance[];
  search: TableRecord['search'];
  table: string;
  /** What it was trained on, and how long that took. */
  environment: SearchResults['environment'];
}

/** The file that a model's report is written to; null for none. */
export function reportFile({ report }: Pick<TrainOptions, 'report'>, out: string): string | null {
  if (report === false) return null;
  return report ?? `${out.replace(/\.safetensors$/, '')}.html`;
}

/** Rejects with `unwritable` where the model or its report cannot be written: it is asked before the training. */
export async function expectOutputs(options: Pick<TrainOptions, 'report'>, out: string): Promise<void> {
  for (const file of [out, reportFile(options, out)]) if (file !== null) await ensureWritableFile(file);
}

/** Writes the report of a model beside it. Rejects with `unwritable`. */
export async function writeTableReport(file: string, trained: Trained): Promise<void> {
  const { model, rows, counts, epochs, kept, importance, search, table } = trained;
  // Loaded here: the chart library is large, and every command would load it.
  const { tableReportHtml } = await import('../report/table-report.js');
  const { node, cpu, build, seconds } = trained.environment;
  const { held, rest, rule, whole } = rows;
  const { layers, input } = model.network.spec;
  const widths = layers.flatMap((layer) => (layer.type === 'dense' ? [layer.units] : []));
  const division = [
    rule.group === undefined ? null : `rows of one ${rule.group} together`,
    rule.time === undefined ? null : `the last rows by ${rule.time}`,
    rule.stratify === undefined ? null : 'by class',
  ].filter((part) => part !== null);
  const html = tableReportHtml({
    source: basename(table),
    targets: targetNames(model.encoder.target),
    task: model.encoder.target.task,
    columns: whole.columns,
    rows: { ...counts, test: held?.rows ?? 0 },
    epochs,
    kept,
    assessment: held === null ? null : assess(model, held),
    search,
    importance,
    settings: [
      ['Network', `${input.features} features, ${widths.join(' – ')}`],
      ['Held out', division.length === 0 ? 'at random' : division.join(', ')],
      ['Seed', String(rule.seed ?? 0)],
      ['Rows', String(rest.rows + (held?.rows ?? 0))],
      ['Build of the core', build],
      ['Node', node],
      ['Processor', cpu],
    ],
    seconds,
  });
  await writeFileAtomic(file, html);
}

/** Rows that a model's columns are weighed on where none were held out to test: those that ended its training. */
export const weighedRows = ({ held, rest, rule }: FitRows) =>
  held ?? divided(rest, { ...rule, validation: VALIDATION }).validation;
