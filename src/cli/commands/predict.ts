import { type Command, Option } from 'commander';
import { type Core, type Network, TreadleError } from '#bindings';
import { meanProbabilities } from '../../experiment/ensemble.js';
import { type Average, expectShape } from '../../experiment/evaluate.js';
import { type ImageOptions, readImage } from '../../node/image.js';
import { printable } from '../../results/format.js';
import { toCsv } from '../../table/csv.js';
import { readTable, readTableModel } from '../../table/files.js';
import { predictedColumns } from '../../table/predicted.js';
import type { Table } from '../../table/table.js';
import { openCore } from '../core.js';
import { EXIT, orTold, type Telling } from '../errors.js';
import { type ImageModel, readImageModel, type Size } from '../image-models.js';
import { addBuildOption, averageOption, path, usageError, wholeNumber } from '../options.js';
import { addTableOptions, csvOptions, type TableReading, tableModelOption } from '../tables.js';

/** What a network says of one image; probabilities in label order. */
interface Prediction {
  image: string;
  class: string;
  probabilities: { class: string; probability: number }[];
}

interface PredictOptions extends Telling, TableReading, ImageOptions {
  weights?: string[];
  model?: string;
  size?: Size;
  average: Average;
  build: string;
}

/** The image size of a file that has 784 inputs and does not say it: MNIST's and Fashion-MNIST's. */
const MNIST_SIZE: Size = [28, 28];

/** Adds `predict`; `end` takes the exit code. */
export function add(program: Command, end: (code: number) => void): void {
  const command = program
    .command('predict')
    .description(
      'classify PNG or JPEG images (light objects on black, as in Fashion-MNIST), or say of each row of a table what a model does',
    )
    .addOption(
      new Option(
        '--weights <file>',
        'a .safetensors or .pkl file, of a run or of a model that the library has saved; given several times, the mean of all their probabilities',
      )
        .argParser((text: string, before: string[] = []) => [...before, path('--weights', 'file')(text)])
        .conflicts('model'),
    )
    .addOption(
      new Option(
        '--size <WxH>',
        'width and height of the images that the network takes, for a file that does not say it, such as a .pkl (default: 28x28 for 784 pixels)',
      ).argParser(imageSize),
    )
    .addOption(
      new Option(
        '--invert',
        'exchange dark and light: for dark objects on a light ground, as ink on paper is',
      ).conflicts('model'),
    )
    .addOption(
      new Option(
        '--background <n>',
        'the grey behind what is transparent, 0 (black) to 255 (white); inverted with the rest',
      )
        .argParser(wholeNumber('--background', [0, 255]))
        .conflicts('model'),
    )
    .addOption(averageOption())
    .addOption(tableModelOption())
    .argument('<file...>', 'PNG or JPEG files; with --model one CSV, Parquet or JSON file');
  addBuildOption(command);
  addTableOptions(command, 'one object per image or row')
    .addHelpText(
      'after',
      '\nExample:\n  treadle predict --weights weights/small_weights_0.001.safetensors shoe.png coat.jpg\n  treadle predict --model model.safetensors houses.csv > predicted.csv',
    )
    .action(async (images: string[], _, command: Command) => {
      const options = command.optsWithGlobals<PredictOptions>();
      end(
        await (options.model === undefined ? predictAndShow(images, options) : predictTable(images, options)),
      );
    });
}

async function predictAndShow(images: readonly string[], options: PredictOptions): Promise<number> {
  const { weights, size, average, build, json, invert = false, background = 0 } = options;
  if (weights === undefined) {
    throw new TreadleError(
      'usage',
      '--weights is missing; --weights for images or --model for a table is expected.',
      {
        subject: '--weights',
        found: undefined,
        expected: '--weights for images or --model for a table',
      },
    );
  }
  const members = await membersOf(weights);
  const [stored] = members as [ImageModel];
  const [width, height] = sizeFor(stored, weights[0]!, size ?? null);
  const pixels: Uint8Array[] = [];
  const read: string[] = [];
  for (const image of images) {
    const found = await orTold(
      { image },
      () => readImage(image, width, height, { invert, background }),
      options,
    );
    if (found === null) continue;
    warnIfEmpty(image, found);
    pixels.push(found);
    read.push(image);
  }
  if (read.length > 0) {
    const core = await openCore(build);
    const all = new Uint8Array(read.length * width * height);
    for (const [index, own] of pixels.entries()) all.set(own, index * own.length);
    const { inputs, classes } = stored;
    const shape = { average, imageWidth: width, inputs, classes };
    const probabilities = meanProbabilities(opened(core, members), all, shape);
    for (const [index, image] of read.entries()) {
      const own = probabilities.subarray(index * classes, (index + 1) * classes);
      const prediction = describe(image, own, stored);
      process.stdout.write(json ? `${JSON.stringify(prediction)}\n` : asText(prediction));
    }
  }
  return read.length === images.length ? EXIT.done : EXIT.failed;
}

/** Says so where all pixels are the same: nothing is to be seen, as in a black shape on transparent ground over black. */
function warnIfEmpty(image: string, pixels: Uint8Array): void {
  const [first] = pixels;
  if (pixels.length === 1 || pixels.some((pixel) => pixel !== first)) return;
  process.stderr.write(
    `${image}: all pixels are ${first} of 255, so there is nothing to classify; dark shapes on transparent ground take --background 255 --invert.\n`,
  );
}

/** Writes a table with what the model says of each row behind its columns: CSV, or an object a row. */
async function predictTable(files: readonly string[], options: PredictOptions): Promise<number> {
  if (files.length > 1) throw usageError('the files', files.join(' '), 'one table, with --model,');
  const model = await readTableModel(options.model!);
  const table = await readTable(files[0]!, csvOptions(options));
  const predicted = predictedColumns(model, table);
  const whole = { columns: [...table.columns, ...predicted], rows: table.rows };
  process.stdout.write(options.json ? jsonRows({ columns: predicted, rows: table.rows }) : toCsv(whole));
  model.dispose();
  return EXIT.done;
}

function jsonRows({ columns, rows }: Table): string {
  return Array.from({ length: rows }, (_, row) => {
    return `${JSON.stringify(Object.fromEntries(columns.map(({ name, cells }) => [name, cells.at(row)])))}\n`;
  }).join('');
}

/** The models of files. Throws `shape` for one that has not the inputs and classes of the first. */
async function membersOf(files: readonly string[]): Promise<ImageModel[]> {
  const members: ImageModel[] = [];
  for (const file of files) {
    const member = await readImageModel(file);
    for (const note of member.notes) process.stderr.write(`${file}: ${note}\n`);
    expectShape(member, members[0] ?? member, file, files[0]!);
    members.push(member);
  }
  return members;
}

/** Their networks, one after another. */
function* opened(core: Core, members: readonly ImageModel[]): Generator<Network> {
  for (const member of members) {
    const network = member.open(core);
    yield network;
    network.dispose();
  }
}

/** A parser for `--size`. Throws `usage`. */
function imageSize(text: string): Size {
  const [, width, height] = /^([1-9]\d{0,6})[x×]([1-9]\d{0,6})$/i.exec(text) ?? [];
  if (width === undefined) throw usageError('--size', text, 'a width and a height such as 28x28');
  return [Number(width), Number(height)];
}

/**
 * Width and height of the images that a network takes: as its file says, else as asked for, else 28x28 for 784 pixels.
 * Throws `shape` when nothing says it, and `usage` for a size that is not the network's.
 */
function sizeFor({ size: stated, inputs }: ImageModel, file: string, asked: Size | null): Size {
  const known = stated !== null && stated[0] * stated[1] === inputs ? stated : null;
  if (asked !== null) {
    const isOther = known !== null && asked.join() !== known.join();
    if (asked[0] * asked[1] === inputs && !isOther) return asked;
    const expected = known === null ? `a size of ${inputs} pixels` : known.join('x');
    throw usageError('--size', asked.join('x'), `${expected}, as ${file} takes,`);
  }
  if (known !== null) return known;
  if (stated === null && inputs === MNIST_SIZE[0] * MNIST_SIZE[1]) {
    process.stderr.write(`${file} does not say the size of its images; 28x28 is taken, as MNIST's are.\n`);
    return MNIST_SIZE;
  }
  throw new TreadleError(
    'shape',
    `${file} takes ${inputs} pixels and does not say how they make an image; --size WxH is expected.`,
    { subject: file, found: inputs, expected: '--size WxH' },
  );
}

function describe(image: string, own: Float64Array, { classNames, classes }: ImageModel): Prediction {
  const names = classNames ?? Array.from({ length: classes }, (_, label) => String(label));
  const probabilities = names.map((name, label) => ({ class: name, probability: own[label]! }));
  const best = probabilities.reduce((a, b) => (b.probability > a.probability ? b : a));
  return { image, class: best.class, probabilities };
}

function asText({ image, class: best, probabilities }: Prediction): string {
  const width = Math.max(...probabilities.map((entry) => printable(entry.class).length));
  const lines = [...probabilities]
    .sort((a, b) => b.probability - a.probability)
    .map((entry) => `  ${printable(entry.class).padEnd(width)}  ${entry.probability.toFixed(4)}`);
  return `${image}: ${printable(best)}\n${lines.join('\n')}\n`;
}
