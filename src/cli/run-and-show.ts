import type { Command } from 'commander';
import { newClock, timeOf } from '../experiment/clock.js';
import type { ExecutorChoice } from '../experiment/executor.js';
import { RECIPES } from '../experiment/recipes.js';
import { type RunOutcome, runAll } from '../experiment/run-all.js';
import { resultsText, textOptions } from '../report/text.js';
import { modelTitle } from '../results/format.js';
import type { RunConfig } from '../results/records.js';
import { askToReplace } from './ask.js';
import { readConfigFile } from './config-file.js';
import { openCore } from './core.js';
import { EXIT } from './errors.js';
import { given, givenSettings, queueUrl, type TrainingOptions, usageError } from './options.js';
import { goOnUnread } from './output.js';
import { withView } from './signals.js';
import { jsonView, runShow, textView } from './terminal.js';

/** The settings of the recipe, those of the `--config` file over them, and those of the command line over both. */
export async function settingsOf(options: TrainingOptions, command: Command): Promise<Partial<RunConfig>> {
  const fromFile = options.config === undefined ? {} : await readConfigFile(options.config);
  return { ...RECIPES[options.recipe], ...fromFile, ...givenSettings(command) };
}

/** Runs a grid and shows it while it goes on; returns the exit code. */
export async function runAndShow(
  options: TrainingOptions,
  settings: Partial<RunConfig>,
  command: Command,
): Promise<number> {
  const clock = newClock();
  const view = options.json ? jsonView() : textView(runShow(() => timeOf(clock)));
  goOnUnread();
  let begun: string | null = null;
  let resumable = true;
  const executor = await executorOf(options, view.note);
  const sayHowToGoOn = (): void => {
    if (begun === null) return;
    // A run that was named by its folder need not be among those in --out.
    const run = typeof options.resume === 'string' ? options.resume : begun;
    const out = given(command, 'out') === undefined ? '' : ` --out ${options.out}`;
    const queue = executor === undefined ? '' : ' --queue';
    process.stderr.write(`To go on: treadle ${command.name()} --resume ${run}${out}${queue}\n`);
  };
  try {
    const stopping =
      executor === undefined
        ? 'Stopping after this step; a second signal ends at once.'
        : 'Stopping here; the queue goes on.';
    const outcome = await withView({ view, clock, stopping, sayHowToGoOn }, (signal) =>
      runAll({
        openCore,
        settings,
        resume: options.resume,
        data: options.data,
        verify: given(command, 'verify'),
        weights: given(command, 'weights'),
        from: options.from,
        tensorBoard: options.tensorboard,
        report: options.report,
        out: options.out,
        replace: options.force || (options.json ? false : (files) => askToReplace(files, signal)),
        log: view.note,
        onEvent(event) {
          if (event.type === 'run') begun = event.id;
          view.event(event);
        },
        signal,
        clock,
        executor,
      }),
    );
    resumable = outcome.resumable;
    return showOutcome(outcome, options.json);
  } finally {
    if (resumable) sayHowToGoOn();
  }
}

/** What trains the models where a queue is asked for; its libraries are loaded only then. */
async function executorOf(
  { queue, store, storeLimit }: TrainingOptions,
  log: (line: string) => void,
): Promise<ExecutorChoice | undefined> {
  if (queue === undefined) {
    if (store === undefined && storeLimit === undefined) return undefined;
    throw usageError(store === undefined ? '--store-limit' : '--store', 'given', 'it with --queue only');
  }
  const { expectQueue, queueExecutor } = await import('../queue/executor.js');
  const { loadBullmq } = await import('../queue/modules.js');
  await loadBullmq(); // Before there is a run that could not go on.
  const place = {
    url: queueUrl(queue),
    store,
    storeLimit: storeLimit === undefined ? undefined : storeLimit * 2 ** 20,
    log,
  };
  await expectQueue(place);
  return queueExecutor(place);
}

/** Prints the tables of a run, unless it was interrupted, and returns its exit code. */
function showOutcome({ folder, results, interrupted }: RunOutcome, json: boolean): number {
  const { models } = results;
  if (interrupted) {
    const trained = models.filter(({ kept }) => kept !== null).length;
    process.stderr.write(
      `error: the run was interrupted; ${trained} of ${models.length} models are trained, and their figures are in ${folder}.\n`,
    );
    return EXIT.interrupted;
  }
  if (!json) process.stdout.write(`\n${resultsText(results, textOptions(process.stdout))}\n`);
  const failed = models.filter(({ error }) => error !== undefined);
  if (failed.length === 0) return EXIT.done;
  const names = failed.map(modelTitle).join(', ');
  process.stderr.write(`error: ${failed.length} of ${models.length} models failed: ${names}.\n`);
  return EXIT.failed;
}
