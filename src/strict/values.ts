import * as v from 'valibot';
import { ID_RULE, isId, isName, NAME_RULE } from './names.js';

// Values that records hold; each message says what is expected.

export const number = v.pipe(v.number('a number'), v.finite('a finite number'));
export const notNegative = v.pipe(number, v.minValue(0, 'a number from 0 up'));
export const count = v.pipe(
  v.number('a whole number from 0 up'),
  v.safeInteger('a whole number from 0 up'),
  v.minValue(0, 'a whole number from 0 up'),
);
export const positive = v.pipe(count, v.minValue(1, 'a whole number from 1 up'));
/** Names become part of file names. */
export const name = v.pipe(v.string(NAME_RULE), v.check(isName, NAME_RULE));
export const id = v.pipe(v.string(ID_RULE), v.check(isId, ID_RULE));
