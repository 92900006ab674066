import type { Command } from 'commander';
import { type Dataset, loadDataset } from '../../fashion-mnist/dataset.js';
import { addDataOptions, addJsonOption, type DataOptions } from '../options.js';
import { withSignals } from '../signals.js';
import { plainTable } from '../table.js';

export function add(program: Command): void {
  const data = program
    .command('data')
    .description('get the dataset, or show what it holds')
    .addHelpText(
      'after',
      '\nExamples:\n  treadle data fetch\n  treadle data info --data ./mnist --no-verify',
    );

  addDataOptions(data.command('fetch').description('make sure that the dataset is here and whole'))
    .addHelpText('after', '\nExample:\n  treadle data fetch')
    .action(async (options: DataOptions) => {
      const { name, source } = await load(options);
      process.stdout.write(`${name} is ready: ${source}\n`);
    });

  const info = addDataOptions(
    data.command('info').description('show source, sizes and samples of each class'),
  );
  addJsonOption(info, 'the description')
    .addHelpText('after', '\nExample:\n  treadle data info --data ./mnist --no-verify')
    .action(async (options: DataOptions & { json: boolean }) => {
      const dataset = await load(options);
      process.stdout.write(options.json ? `${JSON.stringify(summary(dataset))}\n` : describe(dataset));
    });
}

function load({ data, verify }: DataOptions): Promise<Dataset> {
  const log = (line: string): void => void process.stderr.write(`${line}\n`);
  return withSignals((signal) => loadDataset({ data, verify, log, signal }));
}

function summary({ name, source, hash, imageWidth, imageHeight, classNames, train, test }: Dataset) {
  const classes = classNames.map((className, label) => ({
    className,
    train: count(train.labels, label),
    test: count(test.labels, label),
  }));
  return { name, source, hash, imageWidth, imageHeight, train: train.count, test: test.count, classes };
}

function count(labels: Uint8Array, label: number): number {
  return labels.reduce((sum, value) => sum + (value === label ? 1 : 0), 0);
}

function describe(dataset: Dataset): string {
  const { name, source, hash, imageWidth, imageHeight, train, test, classes } = summary(dataset);
  const rows = classes.map((entry, label) => [
    String(label),
    entry.className,
    String(entry.train),
    String(entry.test),
  ]);
  return [
    `${name}: ${train} training and ${test} test images of ${imageWidth} x ${imageHeight} pixels`,
    `source  ${source}`,
    `SHA-256 ${hash}`,
    '',
    plainTable(['label', 'class', 'train', 'test'], [...rows, ['', 'all', String(train), String(test)]], 2),
    '',
  ].join('\n');
}
