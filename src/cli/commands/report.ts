import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { type Command, Option } from 'commander';
import { createLogUpdate } from 'log-update';
import { TreadleError } from '#bindings';
import { readFileBounded } from '../../node/files.js';
import { resultsText, textOptions } from '../../report/text.js';
import { parseResults } from '../../results/results.js';
import { addJsonOption, DEFAULT_OUT, path } from '../options.js';
import { withSignals } from '../signals.js';

/** Larger than the results of any run. */
const MAX_BYTES = 1 << 28;

/** The results' file in a run's folder. */
const FILE = 'results.json';

export function add(program: Command): void {
  const command = program
    .command('report')
    .description("print a run's tables and write its report anew from its results.json")
    .argument('<run>', "a run's folder, or its id in the folder of runs")
    .addOption(
      new Option('--out <dir>', 'folder of runs').argParser(path('--out', 'folder')).default(DEFAULT_OUT),
    );
  addJsonOption(command, 'the results')
    .addHelpText('after', '\nExample:\n  treadle report runs/20260131T120000Z-3f9a')
    .action(async (run: string, options: { out: string; json: boolean }) => {
      const folder = await folderOf(run, options.out);
      const file = join(folder, FILE);
      const text = Buffer.from(await readFileBounded(file, MAX_BYTES)).toString('utf8');
      const results = parseResults(text, file);
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
      if (options.json) process.stdout.write(`${JSON.stringify(results)}\n`);
      else process.stdout.write(`${resultsText(results, textOptions(process.stdout))}\n\nReport: ${html}\n`);
    });
}

/** A line on stderr that each call overwrites; undefined where that is no terminal that can do so. */
function progressLine() {
  const { isTTY, columns } = process.stderr;
  return isTTY && columns > 0 && process.env.TERM !== 'dumb' ? createLogUpdate(process.stderr) : undefined;
}

/** The folder itself when it holds results, else the one of that name among the runs. Throws `not-found`. */
async function folderOf(run: string, out: string): Promise<string> {
  for (const folder of [run, join(out, run)]) if (await hasResults(folder)) return folder;
  const places = `${join(run, FILE)} nor ${join(out, run, FILE)}`;
  throw new TreadleError(
    'not-found',
    `${run} is no run: neither ${places} is there; a run's folder or id is expected.`,
    { subject: run, found: 'no run', expected: "a run's folder or id" },
  );
}

async function hasResults(folder: string): Promise<boolean> {
  try {
    await access(join(folder, FILE));
    return true;
  } catch {
    return false;
  }
}
