import { TreadleError } from '#bindings';
import { formatError } from '../formats/tensor.js';
import { oneLine } from '../strict/text.js';
import { type Table, type TableRow, tableOf } from './table.js';

/**
 * The table in JSON: an array of objects, or an object a line (JSON Lines), whose keys are the columns. Cells are what their values
 * are; what an object lacks is empty. Throws `format` for other texts and for values that are objects; `source` is in errors.
 *
 * @example parseJson('[{"a": 1, "b": "x"}, {"a": 2}]').rows; // 2
 */
export function parseJson(text: string, source = 'The JSON text'): Table {
  const isArray = text.trimStart().startsWith('[');
  const rows = isArray
    ? parsed(text, source, '')
    : text
        .split('\n')
        .flatMap((line, at) => (line.trim() === '' ? [] : [parsed(line, source, ` in line ${at + 1}`)]));
  try {
    return tableOf(rows as TableRow[]);
  } catch (error) {
    if (!(error instanceof TreadleError)) throw error;
    throw formatError(source, error.message.replace(/; .*/s, ''), 'an array of objects with single values');
  }
}

function parsed(text: string, source: string, place: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw formatError(
      source,
      `it is no JSON${place} (${oneLine((cause as Error).message)})`,
      'an array of objects',
    );
  }
}
