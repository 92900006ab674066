import { availableParallelism } from 'node:os';
import { type Command, Option } from 'commander';
import { type BenchReport, fewestSamples, runBench } from '../../bench/bench.js';
import { LIMITS } from '../../experiment/limits.js';
import { ARCHITECTURES } from '../../fashion-mnist/architectures.js';
import { loadDataset } from '../../fashion-mnist/dataset.js';
import { openCore } from '../core.js';
import {
  addBuildOption,
  addDataOptions,
  addJsonOption,
  type DataOptions,
  usageError,
  wholeNumber,
} from '../options.js';
import { withSignals } from '../signals.js';
import { plainTable } from '../table.js';

interface BenchOptions extends DataOptions {
  model: string[];
  batchSize: number;
  threads: number;
  samples: number;
  build: string;
  json: boolean;
}

export function add(program: Command): void {
  const models = Object.keys(ARCHITECTURES);
  const cores = availableParallelism();
  const command = addDataOptions(
    program
      .command('bench')
      .description("time epochs of the models, and their matrix products against the machine's peak"),
  )
    .addOption(
      new Option('--model <names>', 'models to train, with commas between them')
        .argParser(modelNames(models))
        .default(models, models.join(',')),
    )
    .addOption(
      new Option('--batch-size <n>', 'samples in a batch')
        .argParser(wholeNumber('--batch-size', LIMITS.batchSize))
        .default(256),
    )
    .addOption(
      new Option('--threads <n>', 'threads that train a model together, at most one a core')
        .argParser(wholeNumber('--threads', [1, cores]))
        .default(1),
    )
    .addOption(
      new Option('--samples <n>', 'training images of an epoch')
        .argParser(wholeNumber('--samples', LIMITS.trainSamples))
        .default(12_800),
    );
  addBuildOption(command);
  addJsonOption(command, 'the figures')
    .addHelpText('after', '\nExample:\n  treadle bench --model large1 --threads 2 --samples 48000')
    .action(async ({ model, batchSize, threads, samples, build, data, verify, json }: BenchOptions) => {
      const fewest = fewestSamples(batchSize);
      if (samples < fewest) {
        throw usageError(
          '--samples',
          String(samples),
          `at least ${fewest}, for four batches of ${batchSize},`,
        );
      }
      const log = (line: string): void => void process.stderr.write(`${line}\n`);
      const core = await openCore(build);
      const dataset = await withSignals((signal) => loadDataset({ data, verify, log, signal }));
      const report = await runBench(core, { models: model, batchSize, threads, samples }, dataset, log);
      process.stdout.write(json ? `${JSON.stringify(report)}\n` : benchText(report));
    });
}

/** A parser for names with commas between them. Throws `usage` for one that is unknown or given twice. */
function modelNames(known: readonly string[]): (text: string) => string[] {
  return (text) => {
    const names = text.split(',');
    const differ = new Set(names).size === names.length;
    if (differ && names.every((name) => known.includes(name))) return names;
    throw usageError(
      '--model',
      text,
      `names out of ${known.join(', ')}, each once, with commas between them,`,
    );
  };
}

/** The figures as tables. */
function benchText(report: BenchReport): string {
  const { epochs, gemm, peakGflops, machine, node, v8, build, kernels, revectorized } = report;
  const epochRows = epochs.map(({ model, batchSize, threads, samples, seconds }) => [
    model,
    String(batchSize),
    String(threads),
    String(samples),
    seconds.toFixed(3),
    (samples / seconds).toFixed(0),
  ]);
  const gemmRows = gemm.map(({ form, m, n, k, gflops, peakFraction }) => [
    form,
    `${m} x ${n} x ${k}`,
    gflops.toFixed(1),
    `${(100 * peakFraction).toFixed(0)} %`,
  ]);
  return [
    `engine    Node ${node}, V8 ${v8}`,
    `machine   ${machine}`,
    `build     ${build}, kernels ${kernels}, ${revectorized ? '256' : '128'} bits wide`,
    `peak      ${peakGflops.toFixed(1)} GFLOP/s, 128-bit multiply-add on one core`,
    '',
    plainTable(['model', 'batch', 'threads', 'samples', 's/epoch', 'samples/s'], epochRows, 1),
    '',
    plainTable(['GEMM', 'M x N x K', 'GFLOP/s', 'of peak'], gemmRows, 2),
    '',
  ].join('\n');
}
