import { basename, resolve } from 'node:path';
import { problem } from '#bindings';
import { ENCODER_KEY } from '../formats/model-bytes.js';
import { beginningOf, ensureWritableFile, writeFileAtomic } from '../node/files.js';
import type { TableRecord } from '../report/table-report.js';
import { assess } from '../table/assess.js';
import { targetNames } from '../table/encoder.js';
import type { Importance } from '../table/importance.js';
import { divided } from '../table/search/parts.js';
import type { SearchResults } from '../table/search/results.js';
import type { TableModel } from '../table/table-model.js';
import type { TrainOptions } from './fit-options.js';
import { type FitRows, VALIDATION } from './fit-rows.js';
import { usageError } from './options.js';

/** What a model's training leaves for its report. */
export interface Trained {
  model: TableModel;
  rows: FitRows;
  /** Rows that were trained on, and that ended training. */
  counts: { train: number; validation: number };
  epochs: TableRecord['epochs'];
  kept: number;
  importance: Importance;
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

/**
 * Asked before the training: rejects with `unwritable` where the model or its report cannot be written, and with `usage` where one
 * would replace the other, or a file that `fit` has not written. What it will replace is told.
 */
export async function expectOutputs(options: Pick<TrainOptions, 'report'>, out: string): Promise<void> {
  const outputs = [{ option: '--out', file: out, kind: 'model of fit', marks: MODEL }];
  const page = reportFile(options, out);
  if (page !== null) {
    if (resolve(page) === resolve(out)) throw usageError('--report', page, 'another file than --out');
    outputs.push({ option: '--report', file: page, kind: 'report', marks: REPORT });
  }
  const there: string[] = [];
  for (const { option, file, kind, marks } of outputs) {
    await ensureWritableFile(file);
    const beginning = await beginningOf(file);
    if (beginning === null) continue;
    if (!marks.test(new TextDecoder().decode(beginning))) {
      throw problem('usage', {
        subject: option,
        found: file,
        because: `a file is there that is no ${kind}`,
        expected: `the name of a new file, or of a ${kind},`,
      });
    }
    there.push(file);
  }
  if (there.length === 0) return;
  const are = there.length === 1 ? 'is' : 'are';
  process.stderr.write(`${there.join(' and ')} ${are} there already and will be replaced.\n`);
}

/** How the files begin that `fit` writes: eight bytes of a length and a header that has encoders, and a page with its title. */
const MODEL = new RegExp(`^.{1,8}\\{"__metadata__":\\{.*"${ENCODER_KEY}":`, 's');
const REPORT = /^<!doctype html>.{1,20000} treadle report<\/title>/s;

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
