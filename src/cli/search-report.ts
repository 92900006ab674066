import { resolve } from 'node:path';
import { TreadleError } from '#bindings';
import { shown } from '../node/paths.js';
import { idOf } from '../node/run-folders.js';
import { readTableModel } from '../table/files.js';
import { fileDigest, readBegun } from '../table/search/folder.js';
import type { SearchResults } from '../table/search/results.js';
import type { TableModel } from '../table/table-model.js';
import { type FitRows, fitRows } from './fit-rows.js';
import { configOf } from './search-config.js';
import { searchText } from './search-text.js';
import { reportFile, writeTableReport } from './table-report.js';
import { decisionsText, importanceText, scoresText, trainedText } from './tables.js';

/** Writes the report of a search's model. Rejects with `unwritable`. */
export function writeSearchReport(
  report: string,
  results: SearchResults,
  { model, rows, table }: { model: TableModel; rows: FitRows; table: string },
): Promise<void> {
  const { candidates, final, importance, environment } = results;
  return writeTableReport(report, {
    ...{ model, rows, table, importance, environment },
    search: candidates.length === 1 && candidates[0]!.trials.length === 1 ? null : results,
    ...{ epochs: final.epochs, kept: final.kept ?? final.epochs.length },
    counts: { train: final.rows.train, validation: final.rows.validation },
  });
}

/** What a search has found, in words. */
export function searchResultsText(results: SearchResults, model: TableModel): string {
  const { columns, candidates, final, test, importance } = results;
  const trained = { rows: final.rows.train, epochs: final.epochs.length, kept: final.kept };
  const which = candidates.length === 1 ? '' : `${final.candidate}: `;
  return [
    decisionsText(columns),
    searchText(results),
    `${which}${trainedText(trained)}`,
    ...(test === null ? [] : [`On ${test.samples} rows that were held out:\n${scoresText(test, model)}`]),
    importanceText(importance),
  ].join('\n\n');
}

/**
 * Writes the report of a finished search anew, beside its model, and says what it has found. Charts of the test need its rows and
 * its model. Throws `data` where these are others than they were, and as reading them does.
 */
export async function reportSearch(
  folder: string,
  results: SearchResults,
): Promise<{ text: string; html: string }> {
  const begun = await readBegun(folder);
  const { record } = begun;
  const at = (path: string) => shown(resolve(folder, path));
  const [table, out] = [at(record.table.path), at(record.model)];
  const test = record.test === null ? undefined : at(record.test.path);
  await expectSame(folder, table, record.table.hash);
  if (record.test !== null) await expectSame(folder, test!, record.test.hash);
  await expectSame(folder, out, results.modelHash);
  const rows = await fitRows(table, { ...configOf(begun), ...(test !== undefined && { test }) });
  const model = await readTableModel(out);
  try {
    const html = reportFile({}, out)!;
    await writeSearchReport(html, results, { model, rows, table });
    return { text: searchResultsText(results, model), html };
  } finally {
    model.dispose();
  }
}

async function expectSame(folder: string, path: string, hash: string): Promise<void> {
  if ((await fileDigest(path)) === hash) return;
  const expected = 'it as it was';
  throw new TreadleError(
    'data',
    `${path} is not the file that run ${idOf(folder)} had; ${expected} is expected.`,
    {
      subject: path,
      found: 'another file',
      expected,
    },
  );
}
