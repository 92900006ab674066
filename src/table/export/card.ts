import type { CardFront } from '../../formats/hub/card.js';
import { plain, quoted } from '../../formats/hub/text.js';
import { type ColumnEncoder, featureNames, type TableEncoder } from '../encoder.js';
import { givenOf } from './onnx.js';

/** What a card says of a model that takes the columns of a table. */
export function cardFront({ columns, target }: TableEncoder): CardFront {
  const list = columns.map((column) => `- ${plain(column.name)}: ${plain(inWords(column))}`);
  const row = columns.map((column) => `${quoted(column.name)}: ${exampleOf(column)}`).join(', ');
  const feeds = columns.map((column) => `    ${quoted(column.name)}: ${feedOf(column)},\n`).join('');
  return {
    task: `tabular-${target.task}`,
    inputs: `rows of these columns, of which any may be empty:\n\n${list.join('\n')}`,
    features: featureNames(columns).map(plain).join(', '),
    outputs: target.task === 'classification' ? target.classes : target.names,
    feeds: `{\n${feeds}}`,
    program: `import { readTableModel } from ${quoted('treadle/tables')};

const model = await readTableModel('model.safetensors');
const said = model.predict([{ ${row} }]);`,
  };
}

function inWords(column: ColumnEncoder): string {
  switch (column.kind) {
    case 'number':
      return 'a number';
    case 'yesNo':
      return [column.yes, column.no].filter((name) => name !== '').join(' or ');
    case 'date':
      return 'a date; in ONNX milliseconds since 1970 in UTC';
    default: {
      const { values } = column;
      const more = values.length > 10 ? `, and ${values.length - 10} more` : '';
      return `a category: ${values.slice(0, 10).join(', ')}${more}`;
    }
  }
}

/** A cell to try the model with, in JavaScript. */
function exampleOf(column: ColumnEncoder): string {
  switch (column.kind) {
    case 'number':
      return String(column.scale.mean);
    case 'yesNo': {
      const value = column.yes || column.no;
      return /^(?:0|1|true|false)$/.test(value) ? value : quoted(value);
    }
    case 'date':
      return "'2020-02-29'";
    default:
      return quoted(column.values[0] ?? '');
  }
}

/** The same as a feed of onnxruntime. */
function feedOf(column: ColumnEncoder): string {
  if (column.kind === 'date') return `numpy.array([[${Date.UTC(2020, 1, 29)}.0]])`;
  const own = exampleOf(column);
  if (givenOf(column) === 'number') return `numpy.array([[${own}]], float)`;
  return `numpy.array([[${own.startsWith('"') ? own : quoted(own)}]], object)`;
}
