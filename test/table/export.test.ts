import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import * as ort from 'onnxruntime-web';
import { beforeAll, describe, expect, it } from 'vitest';
import { createModel, type ExportFormat, exportModel, importModel, loadModel, mlp } from '../../dist/node.js';
import {
  encodeTable,
  exportTable,
  fitTable,
  loadTableModel,
  type TableModel,
  tableOf,
} from '../../dist/table/node.js';
import { onnxInputs, TABLES } from '../interchange/table-cases.mjs';
import { failure } from '../support/errors.js';
import { temporaryFolder } from '../support/folder.js';

ort.env.logLevel = 'error';

/** What probabilities may differ by, and numbers beside the largest of their target. */
const CLOSE = 1e-5;

const models = new Map<string, TableModel>();
beforeAll(async () => {
  for (const { name, train, options } of TABLES) {
    const fit = await fitTable(tableOf(train), { ...options, hidden: [16, 8], epochs: 8, seed: 1 });
    models.set(name, fit.model);
  }
});

/** What the model gives, and the largest of each target. */
function expected(
  model: TableModel,
  rows: (typeof TABLES)[number]['rows'],
): { values: number[]; sizes: number[] } {
  const { target } = model.encoder;
  if (target.task === 'classification') {
    const values = model.probabilities(rows).flatMap((own) => target.classes.map((name) => own[name]!));
    return { values, sizes: target.classes.map(() => 1) };
  }
  const said = model.predict(rows) as (number | Record<string, number>)[];
  const all = said.map((own) => (typeof own === 'number' ? [own] : target.names.map((name) => own[name]!)));
  return {
    values: all.flat(),
    sizes: target.names.map((_, at) => Math.max(...all.map((own) => Math.abs(own[at]!)))),
  };
}

function largest(found: ArrayLike<number>, { values, sizes }: ReturnType<typeof expected>): number {
  expect(found.length).toBe(values.length);
  return values.reduce(
    (most, value, at) => Math.max(most, Math.abs(value - found[at]!) / sizes[at % sizes.length]!),
    0,
  );
}

async function moduleOf(model: TableModel) {
  const file = join(await temporaryFolder(), 'model.mjs');
  await writeFile(file, exportTable(model, 'js'));
  return import(/* @vite-ignore */ pathToFileURL(file).href);
}

describe.each(TABLES.map((table) => [table.name, table] as const))(
  'a model of %s',
  (name, { rows, train }) => {
    it('says as JavaScript what it says here', async () => {
      const model = models.get(name)!;
      const module = await moduleOf(model);
      const own = expected(model, [...rows, ...train]);
      const { target } = model.encoder;
      const names = target.task === 'classification' ? target.classes : target.names;
      const run = module.probabilities ?? module.outputs;
      const found = [...rows, ...train].map(run) as Record<string, number>[];
      expect(Object.keys(found[0]!)).toEqual(names);
      expect(
        largest(
          found.flatMap((one) => names.map((key) => one[key]!)),
          own,
        ),
      ).toBeLessThan(CLOSE);
      if (target.task === 'classification') expect(rows.map(module.predict)).toEqual(model.predict(rows));
      else expect(module.predict(rows[0])).toEqual(names.length === 1 ? found[0]![names[0]!] : found[0]);
    });

    it('says in onnxruntime what it says here', async () => {
      const model = models.get(name)!;
      const session = await ort.InferenceSession.create(exportTable(model, 'onnx'));
      const inputs = onnxInputs(model.encoder, rows);
      expect(session.inputNames).toEqual(inputs.map((input) => input.name));
      const feeds = inputs.map(({ name: own, type, data }) => {
        const values = type === 'string' ? data : Float64Array.from(data);
        return [own, new ort.Tensor(type as 'float64', values as Float64Array, [rows.length, 1])] as const;
      });
      const results = await session.run(Object.fromEntries(feeds));
      const [first, second] = session.outputNames;
      expect(largest(results[first!]!.data as Float32Array, expected(model, rows))).toBeLessThan(CLOSE);
      if (second !== undefined)
        expect([...(results[second]!.data as Iterable<string>)]).toEqual(model.predict(rows));
    });

    it('is the same model as safetensors, and gives equal bytes', async () => {
      const model = models.get(name)!;
      expect(exportTable(model, 'safetensors')).toEqual(model.save());
      const again = await loadTableModel(exportTable(model.save(), 'safetensors'));
      for (const format of ['onnx', 'js', 'npz'] as const) {
        expect(exportTable(again, format)).toEqual(exportTable(model, format));
      }
      again.dispose();
    });

    it.each(['safetensors', 'npz', 'onnx'] as const)('is imported again from %s', async (format) => {
      const model = models.get(name)!;
      const made = importModel(exportTable(model, format));
      expect(made.notes).toEqual([]);
      const again = await loadTableModel(made.bytes);
      expect(again.encoder).toEqual(model.encoder);
      const { values } = expected(again, rows);
      expect(largest(values, expected(model, rows))).toBeLessThan(CLOSE);
      if (model.encoder.target.task === 'classification')
        expect(again.predict(rows)).toEqual(model.predict(rows));
      if (format === 'safetensors') expect(again.save()).toEqual(model.save());
      again.dispose();
    });
  },
);

describe('the JavaScript module', () => {
  it('refuses rows that the model was not made for', async () => {
    const { predict, encode } = await moduleOf(models.get('visits')!);
    const row = TABLES[0]!.train[3]!;
    expect(encode(row).length).toBe(models.get('visits')!.network.spec.input.features);
    expect(() => predict({ age: 1, ward: 'north' })).toThrow(
      'The row lacks insured, seen, weight, bed, since.',
    );
    const refused = {
      age: ['old', 'age is "old"; a number is expected.'],
      weight: [Number.POSITIVE_INFINITY, 'weight is Infinity; a number is expected.'],
      insured: ['maybe', 'insured is "maybe"; yes or no is expected.'],
      seen: [
        'yesterday',
        'seen is "yesterday"; a Date, or a date such as 2020-02-29 or 29 Feb 2020 is expected.',
      ],
      ward: [{}, 'ward is [object Object]; a text, a number, true, false, a Date or null is expected.'],
    };
    for (const [name, [cell, sentence]] of Object.entries(refused)) {
      expect(() => predict({ ...row, [name]: cell })).toThrow(sentence as string);
    }
    expect(predict({ ...row, more: 1 })).toBe(predict(row));
    // undefined, NaN and a time that is none are empty cells, as null is.
    const gaps = { ...row, age: Number.NaN, seen: new Date(Number.NaN), ward: undefined };
    expect(encode(gaps)).toEqual(encode({ ...row, age: null, seen: null, ward: null }));
  });
});

it('the ONNX graph takes texts and 64-bit numbers, and says what of', () => {
  const text = new TextDecoder().decode(exportTable(models.get('visits')!, 'onnx'));
  expect(text).toContain('{"name":"age","takes":"a number, NaN for none"}');
  expect(text).toContain('{"name":"seen","takes":"milliseconds since 1970 in UTC, NaN for none"}');
  expect(text).toContain('{"name":"ward","takes":"a text, empty for none"}');
});

it('what takes features only is as exportModel writes it', () => {
  const model = models.get('houses')!;
  for (const format of ['c', 'pkl'] as const) {
    expect(exportTable(model, format)).toEqual(exportModel(model.network, format));
  }
});

it('refuses models without encoders, and encoders of another network', async () => {
  const plain = await createModel(mlp({ inputs: 3, hidden: [], outputs: 2 }));
  const none = await failure('format', () => exportTable(plain, 'js'));
  expect(none.message).toBe('The model: its metadata has no treadle_table; a model of a table is expected.');
  const text = Buffer.from(models.get('houses')!.save())
    .toString('latin1')
    .replace('\\"name\\":\\"lift\\"', '\\"name\\":\\"pool\\"');
  const other = text
    .replace(/\\"missing\\":true/, '\\"missing\\":false')
    .replace('{"__metadata__"', '{"__metadata__"');
  const grown = Buffer.from(other, 'latin1');
  grown.writeBigUInt64LE(grown.readBigUInt64LE(0) + 1n, 0);
  const wrong = await failure('format', () => exportTable(grown, 'onnx', { source: 'a.safetensors' }));
  expect(wrong.message).toMatch(
    /^a\.safetensors: its encoder makes \d+ features; \d+, as its network takes is expected\.$/,
  );
  const unknown = await failure('usage', () => exportTable(models.get('houses')!, 'h5' as ExportFormat));
  expect(unknown.message).toContain("format is 'h5'");
});

it('a graph of columns without encoders is imported as the network behind them, which is told', async () => {
  const model = models.get('visits')!;
  const bytes = Buffer.from(exportTable(model, 'onnx'));
  bytes.write('treadle_label', bytes.indexOf('treadle_table'));
  const { notes, spec, bytes: made } = importModel(bytes);
  const { features } = model.network.spec.input;
  expect(notes).toEqual([
    `What the file makes of its columns is left out: the network takes the ${features} features that node "/features" joins.`,
  ]);
  expect([spec.input.features, spec.input.type, spec.classes]).toEqual([
    features,
    'f32',
    model.network.spec.classes,
  ]);
  const network = await loadModel(made);
  const { x } = encodeTable(tableOf(TABLES[0]!.train), model.encoder);
  const { indptr, indices, values } = x;
  const dense = Array.from({ length: indptr.length - 1 }, (_, row) => {
    const own = new Float32Array(features);
    for (let at = indptr[row]!; at < indptr[row + 1]!; at++) own[indices[at]!] = values[at]!;
    return own;
  });
  expect(largest(network.probabilities(dense), expected(model, TABLES[0]!.train))).toBeLessThan(CLOSE);
  network.dispose();
});

it('classes of an imported table are those that it has learnt', async () => {
  const npz = exportTable(models.get('visits')!, 'npz');
  const given = await failure('usage', () => importModel(npz, { classes: ['a', 'b'], source: 'a.npz' }));
  expect(given.message).toBe('classes is given; nothing, since a.npz says it, is expected.');
});
