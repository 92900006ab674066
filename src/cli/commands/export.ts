import { basename, dirname, join, relative, resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { testOfWeights } from '../../experiment/tested.js';
import { decodeAnyModel } from '../../formats/any-model.js';
import { EXPORT_FORMATS, type ExportFormat, exportModel } from '../../formats/export/formats.js';
import { exportHub } from '../../formats/hub/hub.js';
import type { TestFigures } from '../../formats/hub/test-figures.js';
import { ensureWritableFolder, writeFileAtomic } from '../../node/files.js';
import { stemOf, withExtension } from '../../node/model-names.js';
import { readModelFile } from '../../node/models.js';
import { printable } from '../../results/format.js';
import { parseResults } from '../../results/results.js';

import { byteCount } from '../../strict/words.js';
import { featureNames } from '../../table/encoder.js';
import { exportTable, exportTableHub } from '../../table/export/export.js';
import { encoderOf } from '../../table/table-model.js';
import { addForceOption, addJsonOption, DEFAULT_OUT, expectFree, path, usageError } from '../options.js';
import { readRunResults } from '../run-results.js';

interface ExportOptions {
  format: ExportFormat | 'hub';
  out?: string;
  run?: string;
  force: boolean;
  json: boolean;
}

/** Formats that have no place for the encoders of a table. */
const FORMATS_OF_NETWORKS: readonly ExportOptions['format'][] = ['npz', 'pkl', 'c'];

/** Who reads the folder of `hub`. */
const HUB = 'the Hugging Face Hub: a folder with a model card, and the model as safetensors and ONNX';

/** Adds `export`. */
export function add(program: Command): void {
  const readers: Readonly<Record<ExportOptions['format'], string>> = {
    ...(Object.fromEntries(
      Object.entries(EXPORT_FORMATS).map(([name, own]) => [name, own.readers]),
    ) as Record<ExportFormat, string>),
    hub: HUB,
  };
  const formats = Object.entries(readers).map(([name, words]) => `  ${name.padEnd(12)}${words}`);
  const command = program
    .command('export')
    .description('write a model in a format that other programs read')
    .argument(
      '<model>',
      'a .safetensors file of a model or of weights, or a .pkl of weights',
      path('<model>', 'file'),
    )
    .addOption(
      new Option('--format <name>', 'format to write').choices(Object.keys(readers)).makeOptionMandatory(),
    )
    .addOption(
      new Option(
        '--out <path>',
        "file to write, or folder for hub (default: the model's path with the format's ending, or without one)",
      ).argParser(path('--out', 'file or folder')),
    )
    .option(
      '--run <run>',
      "for hub: the run that trained and tested these weights, by its folder, or by its id among the runs here or beside the weights' folder; the card tells its test",
    );
  addForceOption(command);
  addJsonOption(command, 'one object')
    .addHelpText(
      'after',
      `\nFormats:\n${formats.join('\n')}\n\nExample:\n  treadle export weights/small_weights_0.001.safetensors --format onnx`,
    )
    .action(async (model: string, _, command: Command) => {
      const { format, out, run, force, json } = command.optsWithGlobals<ExportOptions>();
      const read = await readModelFile(model);
      const encoder = encoderOf(read, model);
      if (run !== undefined && format !== 'hub') throw usageError('--run', run, 'it with --format hub only');
      const test = run === undefined ? null : await testInRun(run, read, model);
      const target = out ?? withExtension(model, format === 'hub' ? '' : EXPORT_FORMATS[format].extension);
      const options = { name: format === 'hub' ? basename(target) : stemOf(target), source: model };
      const files = new Map<string, Uint8Array>();
      if (format === 'hub') {
        const made = (encoder === null ? exportHub : exportTableHub)(read, {
          ...options,
          ...(test !== null && { test }),
        });
        for (const [name, bytes] of made) files.set(join(target, name), bytes);
      } else files.set(target, (encoder === null ? exportModel : exportTable)(read, format, options));
      for (const file of files.keys()) await expectFree(file, force, model);
      if (format === 'hub') await ensureWritableFolder(target);
      for (const [file, bytes] of files) await writeFileAtomic(file, bytes);
      if (encoder !== null && FORMATS_OF_NETWORKS.includes(format)) {
        const names = featureNames(encoder.columns).map(printable).join(', ');
        process.stderr.write(
          `${target} takes the features of a table, not its columns (onnx and js take those): ${names}.\n`,
        );
      }
      const bytes = [...files.values()].reduce((sum, { length }) => sum + length, 0);
      if (json)
        process.stdout.write(`${JSON.stringify({ type: 'exported', model, format, file: target, bytes })}\n`);
      else process.stdout.write(`${target} (${byteCount(bytes)}): for ${readers[format]}.\n`);
    });
}

/** The test of weights in the run that trained them. Throws `usage` for a run that has not, and as reading it does. */
async function testInRun(run: string, bytes: Uint8Array, model: string): Promise<TestFigures> {
  // Weights lie beside the runs of their project, from wherever that is looked at.
  const own = dirname(model);
  const projects = ['.', own, dirname(resolve(own))].map((folder) => relative('.', resolve(folder)));
  const outs = projects.map((folder) => join(folder, DEFAULT_OUT));
  const { file, text } = await readRunResults(run, outs);
  const { metadata } = decodeAnyModel(bytes, model);
  const test = metadata === null ? null : testOfWeights(parseResults(text, file), metadata);
  if (test === null) throw usageError('--run', run, `a run that trained and tested ${model}`);
  return test;
}
