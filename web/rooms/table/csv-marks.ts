import type { CsvOptions } from 'treadle/tables';

/** What may stand between two cells of CSV. */
export const SEPARATORS = {
  automatic: 'automatic',
  comma: 'comma: a,b',
  semicolon: 'semicolon: a;b',
  tab: 'tab',
  bar: 'bar: a|b',
} as const;

/** What may stand before the decimals of a number. */
export const DECIMALS = { '.': 'point: 3.14', ',': 'comma: 3,14' } as const;

/** How CSV is read, as it is chosen. */
export interface CsvMarks {
  separator: keyof typeof SEPARATORS;
  decimal: keyof typeof DECIMALS;
}

export const USUAL_MARKS: CsvMarks = { separator: 'automatic', decimal: '.' };

const CHARACTERS = { comma: ',', semicolon: ';', tab: '\t', bar: '|' } as const;

/** The same as the library takes it; nothing of what is usual. */
export function csvOptions({ separator, decimal }: CsvMarks): CsvOptions {
  return {
    ...(separator !== 'automatic' && { separator: CHARACTERS[separator] }),
    ...(decimal !== USUAL_MARKS.decimal && { decimal }),
  };
}
