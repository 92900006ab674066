import { type Command, Option } from 'commander';
import { createLogUpdate } from 'log-update';
import { resultsText, textOptions } from '../../report/text.js';
import { parseResults, parseResultsJson } from '../../results/results.js';
import { isOfSearch, readSearchResults } from '../../table/search/results-file.js';
import { addJsonOption, DEFAULT_OUT, path } from '../options.js';
import { readRunResults } from '../run-results.js';
import { withSignals } from '../signals.js';

export function add(program: Command): void {
  const command = program
    .command('report')
    .description(
      "print a run's tables and write its report anew from its results.json; of a search from its table and model too",
    )
    .argument('<run>', "a run's folder, or its id in the folder of runs")
    .addOption(
      new Option('--out <dir>', 'folder of runs').argParser(path('--out', 'folder')).default(DEFAULT_OUT),
    );
  addJsonOption(command, 'the results')
    .addHelpText('after', '\nExample:\n  treadle report runs/20260131T120000Z-3f9a')
    .action(async (run: string, options: { out: string; json: boolean }) => {
      const { folder, file, text } = await readRunResults(run, [options.out]);
      const found = parseResultsJson(text, file);
      if (isOfSearch(found)) {
        const results = readSearchResults(found, file);
        const { reportSearch } = await import('../search-report.js');
        const said = await reportSearch(folder, results);
        print(options.json, results, said);
        return;
      }
      const results = parseResults(found, file);
      const { writeReport } = await import('../../report/write.js');
      const line = progressLine();
      const { html } = await withSignals((signal) =>
        writeReport(folder, results, {
          signal,
          onProgress: (done, steps) => line?.(`Report: ${done} of ${steps} parts done`),
        }),
      ).finally(() => {
        line?.clear();
        line?.done();
      });
      print(options.json, results, { text: resultsText(results, textOptions(process.stdout)), html });
    });
}

function print(json: boolean, results: object, { text, html }: { text: string; html: string }): void {
  process.stdout.write(json ? `${JSON.stringify(results)}\n` : `${text.trimEnd()}\n\nReport: ${html}\n`);
}

/** A line on stderr that each call overwrites; undefined where that is no terminal that can do so. */
function progressLine() {
  const { isTTY, columns } = process.stderr;
  return isTTY && columns > 0 && process.env.TERM !== 'dumb' ? createLogUpdate(process.stderr) : undefined;
}
