import type { Kind } from 'treadle/tables';

/** What columns are taken for, in the page's words. */
export const KIND_NAMES: Readonly<Record<Kind, string>> = {
  number: 'number',
  category: 'category',
  yesNo: 'yes or no',
  date: 'date',
  leave: 'left out',
};
