import { type Graph, ofFloat, ofFloats, ofInt, ofInts, ofTexts } from '../../formats/export/graph.js';
import type { OnnxFront } from '../../formats/export/onnx.js';
import { ONNX_TYPE } from '../../formats/onnx/schema.js';
import { type ColumnEncoder, type Scale, widthOf } from '../encoder.js';
import { addDatePart } from './onnx-date.js';

// The encoders of a table as a graph of ONNX: an input (rows, 1) for each column under its name. Numbers come in 64 bits, as
// columns of pandas and JavaScript are, so that large ones keep their digits until they are standardised; NaN is a gap. Times
// are milliseconds since 1970, as no operation reads them out of text. All else is text, and an empty one is a gap.

/** What an input holds. */
type Given = 'number' | 'time' | 'text';

const WORDS: Readonly<Record<Given, string>> = {
  number: 'a number, NaN for none',
  time: 'milliseconds since 1970 in UTC, NaN for none',
  text: 'a text, empty for none',
};

/** The front of a graph that takes the columns. */
export function onnxFront(columns: readonly ColumnEncoder[]): OnnxFront {
  return {
    add: (graph) => addColumns(graph, columns),
    metadata: { columns: columns.map((column) => ({ name: column.name, takes: WORDS[givenOf(column)] })) },
  };
}

/** What the input of a column holds. */
export function givenOf(column: ColumnEncoder): Given {
  if (column.kind === 'date') return 'time';
  if (column.kind === 'number') return 'number';
  // Columns of 1 and 0 are numbers wherever they come from.
  return column.kind === 'yesNo' && (column.yes === '1' || column.no === '0') ? 'number' : 'text';
}

function addColumns(graph: Graph, columns: readonly ColumnEncoder[]): string {
  // Columns come first, so that they have their names whatever else is in the graph.
  const inputs = columns.map((column) => {
    const type = givenOf(column) === 'text' ? ONNX_TYPE.string : ONNX_TYPE.double;
    return graph.input(column.name, type, 1);
  });
  const features = columns.flatMap((column, at) => addColumn(graph, column, inputs[at]!, `column${at}`));
  return graph.node('Concat', features, 'features', [ofInt('axis', 1)]);
}

/** Adds the features of a column; returns their names, each of one or more features. */
function addColumn(graph: Graph, column: ColumnEncoder, from: string, name: string): string[] {
  if (givenOf(column) === 'text') {
    if (column.kind === 'category') return [addCategory(graph, column, from, name)];
    return addYesNoText(graph, column as ColumnEncoder & { kind: 'yesNo' }, from, name);
  }
  const gap = graph.node('IsNaN', [from], `${name}_gap`);
  const parts = partsOf(graph, column, from, name).map((part, index) => {
    const value = toFloat(graph, part, `${name}_value${index}`);
    return graph.node(
      'Where',
      [gap, graph.number(`${name}_none${index}`, 0), value],
      `${name}_known${index}`,
    );
  });
  return column.missing ? [...parts, toFloat(graph, gap, `${name}_missing`)] : parts;
}

/** What a column of numbers or times becomes, before its gaps are filled. */
function partsOf(graph: Graph, column: ColumnEncoder, from: string, name: string): string[] {
  if (column.kind === 'number') return [addScale(graph, column.scale, from, name)];
  if (column.kind === 'date') {
    return column.parts.map(({ part, scale }) => {
      const own = `${name}_${part}`;
      return addScale(graph, scale, addDatePart(graph, part, from, own), own);
    });
  }
  const { yes } = column as ColumnEncoder & { kind: 'yesNo' };
  const one = graph.double(`${name}_yes`, yes === '1' ? 1 : Number.NaN); // Nothing equals NaN.
  return [graph.node('Equal', [from, one], `${name}_is_yes`)];
}

function addScale(graph: Graph, { mean, deviation }: Scale, from: string, name: string): string {
  const centred = graph.node('Sub', [from, graph.double(`${name}_mean`, mean)], `${name}_centred`);
  const factor = graph.double(`${name}_factor`, deviation > 0 ? 1 / deviation : 0);
  return graph.node('Mul', [centred, factor], `${name}_scaled`);
}

function toFloat(graph: Graph, from: string, name: string): string {
  return graph.node('Cast', [from], name, [ofInt('to', ONNX_TYPE.float)]);
}

/** One-hot: the values, any other, and a gap where training had some. */
function addCategory(
  graph: Graph,
  column: ColumnEncoder & { kind: 'category' },
  from: string,
  name: string,
): string {
  const { values, missing } = column;
  const width = widthOf(column);
  const hasGap = missing && !values.includes('');
  const places = graph.mlNode('LabelEncoder', [from], `${name}_place`, [
    ofTexts('keys_strings', hasGap ? [...values, ''] : values),
    ofInts('values_int64s', [...values.keys(), ...(hasGap ? [width - 1] : [])]),
    ofInt('default_int64', values.length),
  ]);
  const all = Array.from({ length: width }, (_, place) => place);
  const hot = graph.mlNode('OneHotEncoder', [places], `${name}_hot`, [
    ofInts('cats_int64s', all),
    ofInt('zeros', 1),
  ]);
  return graph.node('Flatten', [hot], `${name}_known`, [ofInt('axis', 1)]);
}

function addYesNoText(
  graph: Graph,
  { yes, missing }: ColumnEncoder & { kind: 'yesNo' },
  from: string,
  name: string,
): string[] {
  // Python writes true with a capital.
  const ways = yes === '' ? [] : yes === 'true' ? [yes, 'True'] : [yes];
  const features = [isOne(graph, ways, from, `${name}_known`)];
  return missing ? [...features, isOne(graph, [''], from, `${name}_missing`)] : features;
}

/** 1 for some texts, 0 for any other. */
function isOne(graph: Graph, texts: readonly string[], from: string, name: string): string {
  // A table of nothing is none; no text of a table has a zero byte.
  const keys = texts.length > 0 ? texts : ['\0'];
  return graph.mlNode('LabelEncoder', [from], name, [
    ofTexts('keys_strings', keys),
    ofFloats(
      'values_floats',
      keys.map((_, at) => (at < texts.length ? 1 : 0)),
    ),
    ofFloat('default_float', 0),
  ]);
}
