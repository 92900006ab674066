import * as v from 'valibot';
import { type JsonLimits, structureProblem } from '../strict/json.js';
import { preview, quote } from '../strict/text.js';
import { elementCount, formatError } from './tensor.js';

/** Bits per element of every dtype that the safetensors format knows. */
export const DTYPE_BITS = {
  BOOL: 8,
  F4: 4,
  F6_E2M3: 6,
  F6_E3M2: 6,
  U8: 8,
  I8: 8,
  F8_E5M2: 8,
  F8_E4M3: 8,
  F8_E8M0: 8,
  F8_E4M3FNUZ: 8,
  F8_E5M2FNUZ: 8,
  I16: 16,
  U16: 16,
  F16: 16,
  BF16: 16,
  I32: 32,
  U32: 32,
  F32: 32,
  C64: 64,
  F64: 64,
  I64: 64,
  U64: 64,
} as const;

/** Name of an element type in a safetensors header. */
export type SafetensorsDtype = keyof typeof DTYPE_BITS;

/** One tensor's place in the data that follows the header. */
export interface HeaderEntry {
  name: string;
  dtype: SafetensorsDtype;
  shape: number[];
  /** First byte in the data, and the first byte after it. */
  begin: number;
  end: number;
}

/** A header whose every statement has been checked against the data's length. */
export interface Header {
  /** In the header's order. */
  entries: HeaderEntry[];
  /** Null when the header has no `__metadata__`. */
  metadata: Record<string, string> | null;
}

/** Root object, tensor object, list: nothing in a header is nested deeper. A hundred thousand tensors need fewer values. */
const LIMITS: JsonLimits = { depth: 3, values: 1_000_000 };

/** The most dimensions that numpy and PyTorch give an array. */
const MAX_RANK = 64;

const Size = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const TensorInfo = v.strictObject({
  dtype: v.picklist(Object.keys(DTYPE_BITS) as SafetensorsDtype[]),
  shape: v.pipe(v.array(Size), v.maxLength(MAX_RANK)),
  data_offsets: v.strictTuple([Size, Size]),
});

const EXPECTED: Readonly<Record<string, string>> = {
  dtype: `one of ${Object.keys(DTYPE_BITS).join(', ')}`,
  shape: `a list of at most ${MAX_RANK} whole numbers from 0`,
  data_offsets: 'a pair of whole numbers from 0',
};

/**
 * Parses a safetensors header and checks it against the `dataLength` bytes that follow it: JSON without repeated
 * keys, known fields only, sizes that match dtype and shape, and offsets that cover the data exactly once.
 * Throws `format` errors that begin with `source`.
 */
export function parseHeader(text: string, dataLength: number, source: string): Header {
  const entries: HeaderEntry[] = [];
  let metadata: Header['metadata'] = null;
  for (const [name, value] of Object.entries(parseJson(text, source))) {
    if (name === '__metadata__') metadata = checkMetadata(value, source);
    else entries.push(checkEntry(name, value, source));
  }
  checkCoverage(entries, dataLength, source);
  return { entries, metadata };
}

function parseJson(text: string, source: string): object {
  const problem = structureProblem(text, LIMITS);
  if (problem !== null) throw formatError(source, `the header ${problem}`, 'a safetensors header');
  try {
    return JSON.parse(text);
  } catch {
    throw formatError(source, 'the header is not valid JSON', 'a JSON object');
  }
}

function checkMetadata(value: unknown, source: string): Record<string, string> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw formatError(source, '__metadata__ is not an object', 'a map of strings to strings');
  }
  const wrong = Object.entries(value).find(([, entry]) => typeof entry !== 'string');
  if (wrong !== undefined) {
    const [key, entry] = wrong;
    const kind = entry === null ? 'null' : Array.isArray(entry) ? 'a list' : `of type ${typeof entry}`;
    throw formatError(source, `__metadata__ entry ${quote(key)} is ${kind}`, 'a string');
  }
  return value as Record<string, string>;
}

function checkEntry(name: string, value: unknown, source: string): HeaderEntry {
  const tensor = `tensor ${quote(name)}`;
  const result = v.safeParse(TensorInfo, value, { abortEarly: true });
  if (!result.success) {
    const issue = result.issues[0];
    const field = String(issue.path?.[0]?.key ?? '');
    const found = field === '' ? `${tensor} is ${preview(value)}` : `${tensor} has ${describe(field, value)}`;
    throw formatError(source, found, EXPECTED[field] ?? 'an object of dtype, shape and data_offsets alone');
  }
  const { dtype, shape, data_offsets } = result.output;
  const [begin, end] = data_offsets;
  const count = elementCount(shape);
  const bits = count === null ? null : elementCount([count, DTYPE_BITS[dtype]]);
  if (bits === null) {
    throw formatError(source, `${tensor} has shape [${shape}], whose size overflows`, 'a size below 2^53');
  }
  if (end < begin) {
    throw formatError(
      source,
      `${tensor} begins at byte ${begin} and ends at ${end}`,
      'an end after its begin',
    );
  }
  if ((end - begin) * 8 !== bits) {
    const found = `${tensor} is ${dtype} of shape [${shape}] in ${end - begin} bytes`;
    throw formatError(source, found, `a length of ${bits / 8} bytes`);
  }
  return { name, dtype, shape, begin, end };
}

function describe(field: string, value: unknown): string {
  const content = (value as Record<string, unknown>)[field];
  if (content === undefined) return `no ${field}`;
  return `${quote(field)} ${preview(content, 80)}`;
}

/** Every byte of the data belongs to exactly one tensor: no hole, no overlap, no rest. */
function checkCoverage(entries: readonly HeaderEntry[], dataLength: number, source: string): void {
  let covered = 0;
  for (const { name, begin, end } of entries.toSorted((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (begin !== covered) {
      const kind = begin > covered ? 'leaves a hole' : 'overlaps';
      const found = `tensor ${quote(name)} ${kind}: it begins at byte ${begin} of the data`;
      throw formatError(source, found, `byte ${covered}`);
    }
    covered = end;
  }
  if (covered !== dataLength) {
    throw formatError(source, `${dataLength} bytes of data follow the header`, `${covered} bytes`);
  }
}
