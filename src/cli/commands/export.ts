import { type Command, Option } from 'commander';
import { EXPORT_FORMATS, type ExportFormat, exportModel } from '../../formats/export/formats.js';
import { writeFileAtomic } from '../../node/files.js';
import { stemOf, withExtension } from '../../node/model-names.js';
import { readModelFile } from '../../node/models.js';
import { printable } from '../../results/format.js';
import { byteCount } from '../../strict/words.js';
import { featureNames } from '../../table/encoder.js';
import { exportTable } from '../../table/export/export.js';
import { encoderOf } from '../../table/table-model.js';
import { addForceOption, addJsonOption, expectFree, path } from '../options.js';

interface ExportOptions {
  format: ExportFormat;
  out?: string;
  force: boolean;
  json: boolean;
}

/** Formats that have no place for the encoders of a table. */
const FORMATS_OF_NETWORKS: readonly ExportFormat[] = ['npz', 'pkl', 'c'];

/** Adds `export`. */
export function addExport(program: Command): void {
  const formats = Object.entries(EXPORT_FORMATS).map(
    ([name, { readers }]) => `  ${name.padEnd(12)}${readers}`,
  );
  const command = program
    .command('export')
    .description('write a model in a format that other programs read')
    .argument(
      '<model>',
      'a .safetensors file of a model or of weights, or a .pkl of weights',
      path('<model>', 'file'),
    )
    .addOption(
      new Option('--format <name>', 'format to write')
        .choices(Object.keys(EXPORT_FORMATS))
        .makeOptionMandatory(),
    )
    .addOption(
      new Option(
        '--out <file>',
        "file to write (default: the model's path with the format's ending)",
      ).argParser(path('--out', 'file')),
    );
  addForceOption(command);
  addJsonOption(command, 'one object')
    .addHelpText(
      'after',
      `\nFormats:\n${formats.join('\n')}\n\nExample:\n  treadle export weights/small_weights_0.001.safetensors --format onnx`,
    )
    .action(async (model: string, _, command: Command) => {
      const { format, out, force, json } = command.optsWithGlobals<ExportOptions>();
      const target = out ?? withExtension(model, EXPORT_FORMATS[format].extension);
      const read = await readModelFile(model);
      const encoder = encoderOf(read, model);
      const write = encoder === null ? exportModel : exportTable;
      const bytes = write(read, format, { name: stemOf(target), source: model });
      await expectFree(target, force);
      await writeFileAtomic(target, bytes);
      if (encoder !== null && FORMATS_OF_NETWORKS.includes(format)) {
        const names = featureNames(encoder.columns).map(printable).join(', ');
        process.stderr.write(
          `${target} takes the features of a table, not its columns (onnx and js take those): ${names}.\n`,
        );
      }
      if (json)
        process.stdout.write(
          `${JSON.stringify({ type: 'exported', model, format, file: target, bytes: bytes.length })}\n`,
        );
      else
        process.stdout.write(
          `${target} (${byteCount(bytes.length)}): for ${EXPORT_FORMATS[format].readers}.\n`,
        );
    });
}
