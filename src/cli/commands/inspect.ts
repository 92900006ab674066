import type { Command } from 'commander';
import { inOneLine } from '../../formats/export/folded.js';
import { type FileDescription, inspectWeights } from '../../node/model-file.js';
import { oneLine } from '../../strict/text.js';
import { byteCount } from '../../strict/words.js';
import { EXIT, orTold, type Telling } from '../errors.js';
import { addJsonOption } from '../options.js';
import { plainTable } from '../table.js';

/** Rows of the table; the time that it takes grows faster than they do. */
const MOST_ROWS = 1000;

/** Adds `inspect`; `end` takes the exit code. */
export function add(program: Command, end: (code: number) => void): void {
  const command = program
    .command('inspect')
    .description(
      'show what weights files hold: metadata, name, type, shape, size and range of every tensor, and whether treadle can run them',
    )
    .argument('<weights...>', '.safetensors or .pkl files, of any tensors');
  addJsonOption(command, 'one object per file')
    .addHelpText('after', '\nExample:\n  treadle inspect weights/small_weights_0.001.safetensors')
    .action(async (files: string[], _, command: Command) => {
      const options = command.optsWithGlobals<Telling>();
      for (const [index, file] of files.entries()) {
        const description = await orTold({ file }, () => inspectWeights(file), options);
        if (description === null) end(EXIT.failed);
        else if (options.json) process.stdout.write(asJson(file, description));
        else process.stdout.write(`${index > 0 ? '\n' : ''}${asText(file, description)}`);
      }
    });
}

function asJson(file: string, description: FileDescription): string {
  const { format, tensors, stored, network, problem, runs, model, reason } = description;
  const { inputs = null, hidden = null, classes = null } = network ?? {};
  const metadata = network?.metadata ?? stored;
  const fields = {
    ...{ file, format, inputs, hidden, classes, metadata, problem: problem?.message ?? null },
    ...{ runs, model, reason: reason?.message ?? null, tensors },
  };
  // JSON has no NaN and no infinity.
  const text = JSON.stringify(fields, (_, value) => {
    return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value;
  });
  return `${text}\n`;
}

/** How a model in a file is run, in words. */
const RUNS = {
  test: 'yes, by test and predict',
  model: 'yes, as a model (readModel)',
  import: 'yes, once imported (treadle import)',
} as const;

function asText(file: string, description: FileDescription): string {
  const { format, tensors, stored, network, runs, model, reason } = description;
  const lines: string[] = [];
  const count = `${tensors.length} ${tensors.length === 1 ? 'tensor' : 'tensors'}`;
  const size = byteCount(tensors.reduce((sum, { bytes }) => sum + bytes, 0));
  if (network !== null) {
    lines.push(
      `${file}: ${format}, a network ${[network.inputs, ...network.hidden, network.classes].join(' -> ')}`,
    );
  } else {
    lines.push(
      `${file}: ${format}, ${model === null ? '' : `a model ${inOneLine(model)}, `}${count}, ${size}`,
    );
  }
  lines.push(`  can be run: ${runs === null ? `no. ${oneLine(reason!.message)}` : RUNS[runs]}`);
  for (const note of network?.notes ?? []) lines.push(`  ${oneLine(note)}`);
  for (const [key, value] of Object.entries(network?.metadata ?? stored ?? {})) {
    lines.push(`  ${oneLine(key)}: ${oneLine(Array.isArray(value) ? value.join(', ') : String(value))}`);
  }
  if (tensors.length > 0) {
    const rows = tensors
      .slice(0, MOST_ROWS)
      .map(({ name, dtype, shape, bytes, min, max, mean, deviation }) => [
        oneLine(name),
        oneLine(dtype),
        `(${shape.join(', ')})`,
        bytes.toLocaleString('en-US'),
        ...[min, max, mean, deviation].map((value) => (value === null ? '-' : value.toPrecision(4))),
      ]);
    lines.push('', plainTable(['tensor', 'type', 'shape', 'bytes', 'min', 'max', 'mean', 'deviation'], rows));
    const left = tensors.length - rows.length;
    if (left > 0) lines.push('', `${left} more; --json has all.`);
  }
  return `${lines.join('\n')}\n`;
}
