import type { CsvOptions } from 'treadle/tables';
import { fitLines, layerLines, literal } from '../../panel/code.ts';
import { type Setup, specOf } from '../../panel/setup.ts';
import { TEST, VALIDATION } from './shares.ts';
import type { Chosen } from './use-table.ts';

/** Code that trains the same model of the same table in Node. */
export function tableCode(file: string, chosen: Chosen | null, csv: CsvOptions, setup: Setup): string {
  const { [chosen?.target ?? '']: _, ...kinds } = chosen?.kinds ?? {};
  const columns = Object.keys(kinds).length > 0 ? `, columns: ${literal(kinds)}` : '';
  const hidden = specOf({ input: { features: 1, type: 'sparse' }, outputs: 1 }, setup).layers.slice(0, -1);
  return `import { writeFile } from 'node:fs/promises';
import { createModel } from 'treadle';
import { assess, decide, encodeTable, prepare, readTable, settled, splitTable, TableModel } from 'treadle/tables';

const table = await readTable(${literal(file)}${Object.keys(csv).length > 0 ? `, ${literal(csv)}` : ''});
const target = ${literal(chosen?.target ?? 'target')};

// What the columns are is decided on all rows; what is learnt of them, on those of training alone.
const whole = decide(table, { target${columns} });
const { task } = whole.target;
const stratify = task === 'classification' ? target : undefined;
const { rest, held } = splitTable(table, { share: ${TEST}, seed: ${setup.seed}, stratify });
const parts = splitTable(rest, { share: ${VALIDATION}, seed: ${setup.seed}, stratify });
const { encoder, spec, x, y } = prepare(parts.rest, { target, ...settled(whole) });

const own = {
  ...spec,
  layers: [${layerLines([...hidden, 'spec.layers.at(-1)'])}
  ],
};
const network = await createModel(own, { seed: ${setup.seed}, threads: 'auto' });
const history = await network.fit({ x, y }, {
  task,
  validation: encodeTable(parts.held, encoder),${fitLines(setup)}
});
const model = new TableModel(network, encoder);
console.log('kept epoch', history.best, assess(model, held).scores);
await writeFile('model.safetensors', model.save());
`;
}

/** Code that predicts with a model whose table is not here any more. */
export function readingCode(file: string): string {
  return `import { readTable, readTableModel } from 'treadle/tables';

const model = await readTableModel(${literal(file)});
const table = await readTable('table.csv');
console.log(model.predict(table));
`;
}
