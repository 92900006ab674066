import { formatError } from '../formats/tensor.js';
import { quote } from '../strict/text.js';

/** The names of a file's columns, without spaces around them. Throws `format` where one is missing, or stands twice. */
export function checkedNames(names: readonly (string | undefined)[], source: string): string[] {
  const seen = new Set<string>();
  for (const [index, name] of names.entries()) {
    const own = name?.trim() ?? '';
    if (own === '') throw formatError(source, `column ${index + 1} has no name`, 'a name for each column');
    if (seen.has(own)) throw formatError(source, `two columns are called ${quote(own)}`, 'names that differ');
    seen.add(own);
  }
  return [...seen];
}
