import {
  asText,
  type Csr,
  checkInputs,
  type Inputs,
  isList,
  type ModelSpec,
  problem,
  rangeError,
} from '#bindings';

/** One row of features. */
export type Row = ArrayLike<number>;

/**
 * Features of samples: a flat array, row-major, of floats or bytes; an array of rows; or sparse rows (CSR). Bytes are
 * what models of u8 input take, sparse rows what models of sparse input take.
 */
export type Features = ArrayLike<number> | readonly Row[] | Csr;

/** Features in the form that the core takes. */
export interface AdaptedFeatures {
  readonly inputs: Inputs;
  readonly rows: number;
}

/**
 * Features as the model's input type has them, checked: throws `usage`, `shape` or `range` by row and column for what is
 * not a finite number, has the wrong length, or would lose something on its way to bytes.
 */
export function adaptFeatures(subject: string, x: unknown, model: ModelSpec): AdaptedFeatures {
  const { type, features } = model.input;
  if (type === 'sparse') return { inputs: x as Csr, rows: checkInputs(subject, x, model) };
  const flat = isRows(x) ? joinRows(subject, x, features) : x;
  if (!isList(flat)) {
    const expected = `a typed array, or an array of rows of ${features} numbers,`;
    throw problem('usage', { subject, found: x, expected });
  }
  if (flat.length % features !== 0) {
    throw problem('shape', {
      subject: `${subject}.length`,
      found: flat.length,
      expected: `a multiple of ${features}, the features of a sample,`,
    });
  }
  const inputs = type === 'u8' ? toBytes(subject, flat, features) : toFloats(subject, flat, features);
  return { inputs, rows: checkInputs(subject, inputs, model) };
}

/** Whether a value is an array whose items are rows. */
export function isRows(value: unknown): value is readonly Row[] {
  return Array.isArray(value) && value.length > 0 && isList(value[0]);
}

/** Rows in one flat array of plain numbers. Throws `shape` for a row of another length and `range` for what is no number. */
export function joinRows(subject: string, rows: readonly unknown[], width: number): Float64Array {
  const flat = new Float64Array(rows.length * width);
  for (let row = 0; row < rows.length; row++) {
    const values = rows[row];
    if (!isList(values))
      throw problem('usage', {
        subject: `${subject}[${row}]`,
        found: values,
        expected: `a row of ${width} numbers`,
      });
    if (values.length !== width) {
      throw problem('shape', {
        subject: `${subject}[${row}].length`,
        found: values.length,
        expected: String(width),
      });
    }
    for (let column = 0; column < width; column++) {
      flat[row * width + column] = numberAt(subject, values[column], row, column);
    }
  }
  return flat;
}

function numberAt(subject: string, value: unknown, row: number, column: number): number {
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  if (typeof value === 'boolean') return value ? 1 : 0;
  throw rangeError(`${subject} at row ${row}, column ${column}`, asText(value), 'a finite number');
}

function toFloats(subject: string, values: ArrayLike<number>, features: number): Inputs {
  if (values instanceof Float32Array || values instanceof Float64Array) return values;
  const floats = new Float64Array(values.length);
  for (let at = 0; at < values.length; at++) {
    floats[at] = numberAt(subject, values[at], Math.floor(at / features), at % features);
  }
  return floats;
}

/** Bytes, where every value is a whole number from 0 to 255: anything else would be cut. */
function toBytes(subject: string, values: ArrayLike<number>, features: number): Inputs {
  if (values instanceof Uint8Array || values instanceof Uint8ClampedArray) return values;
  const bytes = new Uint8Array(values.length);
  for (let at = 0; at < values.length; at++) {
    const value = values[at];
    if (!Number.isInteger(value) || value! < 0 || value! > 255) {
      const place = `${subject} at row ${Math.floor(at / features)}, column ${at % features}`;
      throw rangeError(place, value, 'a byte from 0 to 255, as of u8 input,');
    }
    bytes[at] = value!;
  }
  return bytes;
}
