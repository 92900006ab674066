import { availableParallelism } from 'node:os';
import type { Command } from 'commander';
import { TreadleError } from '#bindings';
import { bestStored, listModels, type StoredModel } from '../../experiment/stored-models.js';
import { testFiles } from '../../experiment/test-files.js';
import { type Dataset, loadDataset } from '../../fashion-mnist/dataset.js';
import { testText, textOptions } from '../../report/text.js';
import { figure, modelTitle } from '../../results/format.js';
import type { TestRecord } from '../../results/records.js';
import { openCore } from '../core.js';
import { EXIT, type Telling, tellFailed } from '../errors.js';
import {
  addBuildOption,
  addDataOptions,
  addJsonOption,
  addWeightsOption,
  type DataOptions,
} from '../options.js';
import { withSignals } from '../signals.js';

interface TestOptions extends DataOptions, Telling {
  best: boolean;
  weights: string;
  build: string;
}

/** Adds `test`; `end` takes the exit code. */
export function addTest(program: Command, end: (code: number) => void): void {
  const command = program
    .command('test')
    .description('test saved models on the test images')
    .option('--best', 'only the model with the best validation macro-F1', false);
  addWeightsOption(command, 'folder with the weights');
  addDataOptions(command);
  addBuildOption(command);
  addJsonOption(command, 'one object per model')
    .addHelpText('after', '\nExample:\n  treadle test --best')
    .action(async (_, command: Command) => {
      end(await withSignals((signal) => testAndShow(command.optsWithGlobals(), signal)));
    });
}

async function testAndShow(options: TestOptions, signal: AbortSignal): Promise<number> {
  const stored = await listModels(options.weights);
  let exitCode: number = EXIT.done;
  let models = stored;
  if (options.best) {
    for (const { file, error } of stored) {
      if (error === undefined) continue;
      tellFailed({ file }, error, options);
      exitCode = EXIT.failed;
    }
    models = [bestStored(stored, options.weights)];
  }
  const core = await openCore(options.build);
  const dataset = await loadDataset({
    data: options.data,
    verify: options.verify,
    log: (line) => process.stderr.write(`${line}\n`),
    signal,
  });
  if (!options.json) process.stdout.write(`Data: ${dataset.name} from ${dataset.source}.\n`);

  await testFiles(
    models.map(({ file }) => file),
    {
      core,
      data: dataset.test,
      shape: { inputs: dataset.imageWidth * dataset.imageHeight, classes: dataset.classNames.length },
      threads: availableParallelism(),
      signal,
      onTested: (file, result) => {
        if (result instanceof TreadleError) exitCode = EXIT.failed;
        show(models.find((model) => model.file === file)!, result, dataset, options);
      },
    },
  );
  return exitCode;
}

function show(
  model: StoredModel,
  result: TestRecord | TreadleError,
  { classNames }: Dataset,
  telling: Telling,
): void {
  const { file, metadata } = model;
  if (result instanceof TreadleError) {
    tellFailed({ file }, result, telling);
    return;
  }
  if (telling.json) {
    const named = metadata && { model: metadata.model, learningRate: metadata.learningRate };
    write(JSON.stringify({ type: 'test', file, ...named, ...result }));
    return;
  }
  const about = metadata && ` (${modelTitle(metadata)}, validation macro-F1 ${figure(metadata.valMacroF1)})`;
  write(`\n${file}${about ?? ''}\n${testText(result, classNames, textOptions(process.stdout))}`);
}

function write(text: string): void {
  process.stdout.write(`${text}\n`);
}
