import * as v from 'valibot';
import { MAX_WIDTH, TreadleError } from '#bindings';
import { type JsonLimits, structureProblem } from '../strict/json.js';
import { quote } from '../strict/text.js';
import { formatError } from './tensor.js';

/** What treadle writes about a model beside its weights. */
export interface WeightsMetadata {
  /** Version of this record. */
  treadle: '1';
  model: string;
  hidden: number[];
  inputs: number;
  classes: number;
  dropout: number;
  learningRate: number;
  /** How the rate changed, how images were changed, and the SHA-256 of the weights it started from; where that was so. */
  schedule?: 'cosine' | undefined;
  augment?: string | undefined;
  from?: string | undefined;
  epochs: number;
  /** The epoch whose weights these are, from 1. */
  keptEpoch: number;
  batchSize: number;
  seed: number;
  mode: 'chained' | 'independent';
  /** The build of the core that trained the model. */
  build: string;
  /** SHA-256 (hex) of the dataset, as in `DatasetRecord.hash`. */
  dataHash: string;
  dataset: string;
  /** One name per class, in label order. */
  classNames: string[];
  imageWidth: number;
  imageHeight: number;
  /** Validation figures of the kept epoch; the loss is the mean in nats. */
  valLoss: number;
  valAccuracy: number;
  valMacroF1: number;
}

/** A decimal number as JavaScript prints it, that meets a condition; every message says what is expected. */
const numberText = (expected: string, isGood: (value: number) => boolean) =>
  v.pipe(
    v.string(expected),
    v.regex(/^-?\d+(\.\d+)?(e[+-]?\d+)?$/, expected),
    v.transform(Number),
    v.check((value) => Number.isFinite(value) && isGood(value), expected),
  );
const wholeText = (least: number, most = Number.MAX_SAFE_INTEGER) =>
  numberText(
    `a whole number from ${least} to ${most}`,
    (value) => Number.isInteger(value) && value >= least && value <= most,
  );
const fractionText = numberText('a number from 0 to 1', (value) => value >= 0 && value <= 1);
/** Limits of a list: nothing nested, and more values than there can be classes or layers. */
const LIST: JsonLimits = { depth: 1, values: 4096 };
const listText = <T extends v.GenericSchema>(item: T, expected: string) =>
  v.pipe(
    v.string(expected),
    v.check((text) => structureProblem(text, LIST) === null, expected),
    v.parseJson(undefined, expected),
    v.array(item, expected),
  );

/** The record as strings, the only values that safetensors' `__metadata__` holds; other keys are left alone. */
const StoredMetadata = v.object({
  treadle: v.literal('1', 'version 1'),
  model: v.string(),
  hidden: listText(v.number('a JSON list of widths'), 'a JSON list of widths'),
  inputs: wholeText(1, MAX_WIDTH),
  classes: wholeText(2, MAX_WIDTH),
  dropout: numberText('a number from 0 to below 1', (value) => value >= 0 && value < 1),
  learningRate: numberText('a number above 0', (value) => value > 0),
  schedule: v.optional(v.literal('cosine', 'cosine')),
  augment: v.optional(v.string()),
  from: v.optional(v.string()),
  epochs: wholeText(1),
  keptEpoch: wholeText(1),
  batchSize: wholeText(1),
  seed: wholeText(0),
  mode: v.picklist(['chained', 'independent'], 'chained or independent'),
  build: v.string(),
  dataHash: v.string(),
  dataset: v.string(),
  classNames: listText(v.string('a JSON list of names'), 'a JSON list of names'),
  imageWidth: wholeText(1),
  imageHeight: wholeText(1),
  valLoss: numberText('a number from 0', (value) => value >= 0),
  valAccuracy: fractionText,
  valMacroF1: fractionText,
});

/**
 * The record as strings, lists as JSON. Throws `format` for a record that could not be read back, such as one with
 * a loss of NaN.
 */
export function storeMetadata(metadata: WeightsMetadata): Record<string, string> {
  const stored: Record<string, string> = {};
  for (const [key, value] of Object.entries(metadata)) {
    if (value === undefined) continue;
    stored[key] = Array.isArray(value) ? JSON.stringify(value) : String(value);
  }
  readMetadata(stored, 'The metadata to save');
  return stored;
}

/**
 * Reads the record back; null for metadata that is not treadle's.
 * Throws `format` naming the first entry that is missing or cannot be used, and `source`.
 */
export function readMetadata(
  stored: Readonly<Record<string, string>> | null,
  source: string,
): WeightsMetadata | null {
  if (stored === null || !Object.hasOwn(stored, 'treadle')) return null;
  const result = v.safeParse(StoredMetadata, stored, { abortEarly: true });
  if (!result.success) {
    const [issue] = result.issues;
    const key = String(issue.path?.[0]?.key);
    const value = stored[key];
    if (value === undefined)
      throw formatError(source, `treadle's metadata has no ${quote(key)}`, 'that entry');
    throw formatError(source, `treadle's metadata has ${quote(key)} as ${quote(value)}`, issue.message);
  }
  const metadata = result.output;
  if (metadata.classNames.length !== metadata.classes) {
    const found = `treadle's metadata names ${metadata.classNames.length} classes`;
    throw formatError(source, found, `one name for each of ${metadata.classes}`);
  }
  return metadata;
}

/** Throws `shape` when a record and the widths of the tensors beside it disagree. */
export function checkWidths(metadata: WeightsMetadata, widths: readonly number[], source: string): void {
  const stated = [metadata.inputs, ...metadata.hidden, metadata.classes].join(' -> ');
  const found = widths.join(' -> ');
  if (found === stated) return;
  const message = `${source}: its tensors are ${found} wide; its metadata expects ${stated}.`;
  throw new TreadleError('shape', message, { subject: source, found, expected: stated });
}
