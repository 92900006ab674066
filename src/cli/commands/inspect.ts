import type { Command } from 'commander';
import { describeTensors, loadWeights } from '../../weights/model-file.js';
import { addJsonOption } from '../options.js';
import { plainTable } from '../table.js';

/** Adds `inspect`. */
export function addInspect(program: Command): void {
  const command = program
    .command('inspect')
    .description('show what a weights file holds: metadata, and name, shape and range of every tensor')
    .argument('<weights>', 'a .safetensors or .pkl file');
  addJsonOption(command, 'the description')
    .addHelpText('after', '\nExample:\n  treadle inspect weights/small_weights_0.001.safetensors')
    .action(async (file: string, options: { json: boolean }) => {
      const { metadata, format, inputs, hidden, classes } = await loadWeights(file);
      const tensors = await describeTensors(file);
      if (options.json) {
        process.stdout.write(
          `${JSON.stringify({ file, format, inputs, hidden, classes, metadata, tensors })}\n`,
        );
        return;
      }
      const lines = [`${file}: ${format}, ${[inputs, ...hidden, classes].join(' -> ')}`];
      for (const [key, value] of Object.entries(metadata ?? {})) {
        lines.push(`  ${key}: ${Array.isArray(value) ? value.join(', ') : value}`);
      }
      const rows = tensors.map(({ name, dtype, shape, min, max, mean }) => [
        name,
        dtype,
        `(${shape.join(', ')})`,
        ...[min, max, mean].map((value) => (value === null ? '-' : value.toPrecision(4))),
      ]);
      lines.push('', plainTable(['tensor', 'type', 'shape', 'min', 'max', 'mean'], rows));
      process.stdout.write(`${lines.join('\n')}\n`);
    });
}
