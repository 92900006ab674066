import * as v from 'valibot';
import { formatError } from '../formats/tensor.js';
import { structureProblem } from '../strict/json.js';

/** Parts of a time that a date column becomes. */
export const DATE_PARTS = ['year', 'month', 'day', 'weekday', 'hour'] as const;
export type DatePart = (typeof DATE_PARTS)[number];

/** Mean and standard deviation of the rows that it was learnt on. */
export interface Scale {
  readonly mean: number;
  readonly deviation: number;
}

/** How one column becomes features. */
export type ColumnEncoder =
  /** (x - mean) / deviation; a missing one is 0. With `missing` a second feature is 1 where the cell is empty. */
  | { readonly kind: 'number'; readonly name: string; readonly scale: Scale; readonly missing: boolean }
  /** 1 for yes, 0 for no. With `missing` a second feature. */
  | {
      readonly kind: 'yesNo';
      readonly name: string;
      readonly yes: string;
      readonly no: string;
      readonly missing: boolean;
    }
  /** A feature for each part, scaled. With `missing` one more. */
  | {
      readonly kind: 'date';
      readonly name: string;
      readonly parts: readonly { readonly part: DatePart; readonly scale: Scale }[];
      readonly missing: boolean;
    }
  /** One of the values (one-hot), or the last feature for any other. An empty cell has a feature of its own where training had some. */
  | {
      readonly kind: 'category';
      readonly name: string;
      readonly values: readonly string[];
      readonly missing: boolean;
    };

/** What is predicted: one of several classes by name, or one or more numbers. */
export type TargetEncoder =
  | { readonly task: 'classification'; readonly name: string; readonly classes: readonly string[] }
  | { readonly task: 'regression'; readonly names: readonly string[] };

/** Everything that a table's features and targets are made by. Plain JSON. */
export interface TableEncoder {
  readonly version: 1;
  readonly columns: readonly ColumnEncoder[];
  readonly target: TargetEncoder;
}

/** A part of a time, as a number. */
export function partOf(time: Date, part: DatePart): number {
  switch (part) {
    case 'year':
      return time.getUTCFullYear();
    case 'month':
      return time.getUTCMonth() + 1;
    case 'day':
      return time.getUTCDate();
    case 'weekday':
      return time.getUTCDay();
    default:
      return time.getUTCHours() + time.getUTCMinutes() / 60;
  }
}

/** Features that a column becomes. */
export function widthOf(encoder: ColumnEncoder): number {
  const more = encoder.missing ? 1 : 0;
  if (encoder.kind === 'category') return encoder.values.length + 1 + more;
  return (encoder.kind === 'date' ? encoder.parts.length : 1) + more;
}

/** Features that all columns become. */
export function featuresOf(columns: readonly ColumnEncoder[]): number {
  return columns.reduce((sum, column) => sum + widthOf(column), 0);
}

/**
 * Names of the features, such as `age`, `age is missing`, `colour = red`.
 *
 * @example featureNames(prepare(table, { target: 'price' }).encoder.columns);
 */
export function featureNames(columns: readonly ColumnEncoder[]): string[] {
  return columns.flatMap((column) => {
    const { name } = column;
    const missing = column.missing ? [`${name} is missing`] : [];
    if (column.kind === 'category') {
      return [...column.values.map((value) => `${name} = ${value}`), `${name} = any other`, ...missing];
    }
    if (column.kind === 'date') return [...column.parts.map(({ part }) => `${part} of ${name}`), ...missing];
    return [name, ...missing];
  });
}

/** Names of the columns that are predicted. */
export function targetNames(target: TargetEncoder): readonly string[] {
  return target.task === 'classification' ? [target.name] : target.names;
}

/** Throws `format` where an encoder makes other features than a network takes; `source` is the model. */
export function expectFits(
  { columns }: TableEncoder,
  input: { readonly features: number; readonly type: string },
  source: string,
): void {
  const features = featuresOf(columns);
  if (input.features === features && input.type === 'sparse') return;
  throw formatError(
    source,
    `its encoder makes ${features} features`,
    `${input.features}, as its network takes`,
  );
}

const finite = v.pipe(v.number(), v.finite());
const text = v.string();
const scale = v.strictObject({ mean: finite, deviation: v.pipe(finite, v.minValue(0)) });
const missing = v.boolean();
const columns = v.array(
  v.variant('kind', [
    v.strictObject({ kind: v.literal('number'), name: text, scale, missing }),
    v.strictObject({ kind: v.literal('yesNo'), name: text, yes: text, no: text, missing }),
    v.strictObject({
      kind: v.literal('date'),
      name: text,
      parts: v.array(v.strictObject({ part: v.picklist(DATE_PARTS), scale })),
      missing,
    }),
    v.strictObject({ kind: v.literal('category'), name: text, values: v.array(text), missing }),
  ]),
);
const STORED = v.strictObject({
  version: v.literal(1),
  columns,
  target: v.variant('task', [
    v.strictObject({
      task: v.literal('classification'),
      name: text,
      classes: v.pipe(v.array(text), v.minLength(2)),
    }),
    v.strictObject({ task: v.literal('regression'), names: v.pipe(v.array(text), v.minLength(1)) }),
  ]),
});

/** The encoder in a model file's metadata. Throws `format` for one that is none; `source` is the file's name. */
export function readEncoder(json: string, source: string): TableEncoder {
  const problem = structureProblem(json, { depth: 6, values: 2_000_000 });
  if (problem !== null) throw formatError(source, `its encoder ${problem}`, 'a model of a table');
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    throw formatError(source, 'its encoder is no JSON', 'a model of a table');
  }
  const parsed = v.safeParse(STORED, value, { abortEarly: true });
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  throw formatError(
    source,
    `its encoder has no ${v.getDotPath(issue) ?? 'form that is known'}`,
    'a model of a table',
  );
}
