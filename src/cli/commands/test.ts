import { availableParallelism } from 'node:os';
import { type Command, Option } from 'commander';
import { TreadleError } from '#bindings';
import { type EnsembleTest, testEnsembleFiles } from '../../experiment/ensemble.js';
import type { Average } from '../../experiment/evaluate.js';
import { shapeOfData } from '../../experiment/prepare.js';
import { bestStored, listModels, type StoredModel } from '../../experiment/stored-models.js';
import { testFiles } from '../../experiment/test-files.js';
import { type Dataset, loadDataset } from '../../fashion-mnist/dataset.js';
import { loadWeights } from '../../node/model-file.js';
import { testText, textOptions } from '../../report/text.js';
import { difference, figure, modelTitle } from '../../results/format.js';
import type { TestRecord } from '../../results/records.js';
import { openCore } from '../core.js';
import { EXIT, type Telling, tellFailed } from '../errors.js';
import {
  addBuildOption,
  addDataOptions,
  addJsonOption,
  addWeightsOption,
  averageOption,
  type DataOptions,
} from '../options.js';
import { withSignals } from '../signals.js';

interface TestOptions extends DataOptions, Telling {
  best: boolean;
  average: Average;
  ensemble?: string[];
  weights: string;
  build: string;
}

/** Adds `test`; `end` takes the exit code. */
export function add(program: Command, end: (code: number) => void): void {
  const command = program
    .command('test')
    .description('test saved models on the test images')
    .option('--best', 'only the model with the best validation macro-F1', false)
    .addOption(averageOption())
    .addOption(
      new Option(
        '--ensemble <files...>',
        'weights files that are tested as one: by the mean of their probabilities',
      ).conflicts('best'),
    );
  addWeightsOption(command, 'folder with the weights');
  addDataOptions(command);
  addBuildOption(command);
  addJsonOption(command, 'one object per model')
    .addHelpText(
      'after',
      '\nExamples:\n  treadle test --best\n  treadle test --average flip --ensemble weights/large1_weights_0.001.safetensors weights/large2_weights_0.001.safetensors',
    )
    .action(async (_, command: Command) => {
      end(await withSignals((signal) => testAndShow(command.optsWithGlobals(), signal)));
    });
}

async function testAndShow(options: TestOptions, signal: AbortSignal): Promise<number> {
  if (options.ensemble !== undefined) return ensembleAndShow(options.ensemble, options, signal);
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
  const dataset = await datasetFor(options, signal);

  await testFiles(
    models.map(({ file }) => file),
    {
      core,
      data: dataset.test,
      shape: shapeOfData(dataset),
      threads: availableParallelism(),
      average: options.average,
      signal,
      onTested: (file, result) => {
        if (result instanceof TreadleError) exitCode = EXIT.failed;
        show(models.find((model) => model.file === file)!, result, dataset, options);
      },
    },
  );
  return exitCode;
}

async function ensembleAndShow(
  files: readonly string[],
  options: TestOptions,
  signal: AbortSignal,
): Promise<number> {
  for (const file of files) await loadWeights(file); // Told before the data is fetched.
  const core = await openCore(options.build);
  const dataset = await datasetFor(options, signal);
  const shape = { ...shapeOfData(dataset), average: options.average };
  const tested = await testEnsembleFiles(files, { core, shape, data: dataset.test, signal });
  if (options.json) write(JSON.stringify({ type: 'ensemble', ...tested }));
  else write(ensembleText(tested, dataset));
  return EXIT.done;
}

function ensembleText({ result, members, agreement }: EnsembleTest, { classNames }: Dataset): string {
  const best = Math.max(...members.map(({ accuracy }) => accuracy));
  const lines = members.map(({ file, accuracy }) => `  ${figure(accuracy)}  ${file}`);
  return [
    `\nThe mean of ${members.length} models, which agree on ${(100 * agreement).toFixed(1)} % of the images:`,
    ...lines,
    `Accuracy ${figure(result.accuracy)}, ${difference(result.accuracy - best)} beside the best of them.`,
    testText(result, classNames, textOptions(process.stdout)),
  ].join('\n');
}

/** The data, whose source is told of on stderr while it is got, and on stdout unless that is for programs. */
async function datasetFor(options: TestOptions, signal: AbortSignal): Promise<Dataset> {
  const dataset = await loadDataset({
    data: options.data,
    verify: options.verify,
    log: (line) => process.stderr.write(`${line}\n`),
    signal,
  });
  if (!options.json) process.stdout.write(`Data: ${dataset.name} from ${dataset.source}.\n`);
  return dataset;
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
