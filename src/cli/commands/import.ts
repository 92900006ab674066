import { type Command, Option } from 'commander';
import { type ActivationName, HEADS, type Head, PLAIN_ACTIVATIONS, parameterCount } from '#bindings';
import { importModel } from '../../formats/import/import.js';
import { parseSpec } from '../../formats/model-bytes.js';
import { formatError } from '../../formats/tensor.js';
import { readFileBounded, writeFileAtomic } from '../../node/files.js';
import { readModelFile } from '../../node/models.js';
import { structureProblem } from '../../strict/json.js';
import { expectFits } from '../../table/encoder.js';
import { encoderOf } from '../../table/table-model.js';
import { addForceOption, addJsonOption, expectFree, path } from '../options.js';

interface ImportOptions {
  out: string;
  activation?: ActivationName;
  head?: Head;
  classes?: string[];
  spec?: string;
  force: boolean;
  json: boolean;
}

/** Far more than a model in JSON has. */
const MOST_SPEC_BYTES = 16 * 2 ** 20;
const SPEC_LIMITS = { depth: 5, values: 3_000_000 };

/** Adds `import`. */
export function add(program: Command): void {
  const command = program
    .command('import')
    .description("make a model of another program's file: safetensors, npz, a pickle of arrays, ONNX, Keras")
    .argument(
      '<file>',
      'a dense network, of PyTorch, Keras, numpy, scikit-learn or anything that writes ONNX',
      path('<file>', 'file'),
    )
    .addOption(
      new Option('--out <model>', 'file to write the model to')
        .argParser(path('--out', 'file'))
        .makeOptionMandatory(),
    )
    .addOption(
      new Option(
        '--activation <name>',
        'activation between layers, for files that do not say it (default: relu)',
      ).choices([...PLAIN_ACTIVATIONS, 'leakyRelu']),
    )
    .addOption(
      new Option(
        '--head <name>',
        'what outputs are turned into, for files that do not say it (default: softmax for several, identity for one)',
      ).choices(HEADS),
    )
    .option('--classes <names...>', 'names of the classes, in the order of the outputs')
    .addOption(
      new Option(
        '--spec <file>',
        'the whole model as JSON, as model.spec has it; its layers take the matrices of their widths',
      )
        .argParser(path('--spec', 'file'))
        .conflicts(['activation', 'head', 'classes']),
    );
  addForceOption(command);
  addJsonOption(command, 'one object')
    .addHelpText(
      'after',
      '\nExample:\n  treadle import torch.safetensors --out model.safetensors --activation gelu',
    )
    .action(async (file: string, _, command: Command) => {
      const { out, spec, activation, head, classes, force, json } = command.optsWithGlobals<ImportOptions>();
      const made = importModel(await readModelFile(file), {
        source: file,
        ...(activation && { activation }),
        ...(head && { head }),
        ...(classes && { classes }),
        ...(spec !== undefined && { spec: await readSpecFile(spec) }),
      });
      const encoder = encoderOf(made.bytes, file);
      if (encoder !== null) expectFits(encoder, made.spec.input, file);
      await expectFree(out, force, file);
      await writeFileAtomic(out, made.bytes);
      const { format, notes } = made;
      if (json) {
        const fields = { type: 'imported', file, format, model: out, spec: made.spec, notes };
        process.stdout.write(`${JSON.stringify(fields)}\n`);
        return;
      }
      for (const note of notes) process.stderr.write(`${note}\n`);
      if (notes.some((note) => note.includes('which the file does not say'))) {
        process.stderr.write('--activation, --head and --spec say otherwise.\n');
      }
      process.stdout.write(
        `${out}: a model of ${encoder === null ? '' : 'a table, of '}${parameterCount(made.spec).toLocaleString('en-US')} parameters, out of ${format}.\n`,
      );
    });
}

async function readSpecFile(path: string) {
  const text = new TextDecoder().decode(await readFileBounded(path, MOST_SPEC_BYTES));
  const problem = structureProblem(text, SPEC_LIMITS);
  if (problem !== null) throw formatError(path, `it ${problem}`, 'a model in JSON');
  try {
    return parseSpec(JSON.parse(text), path);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw formatError(path, 'it is no JSON', 'a model in JSON');
  }
}
