import { problem, type TreadleError } from '#bindings';
import { listed, quote } from '../../strict/text.js';
import { transpose } from '../names.js';
import { type FloatTensor, formatError } from '../tensor.js';

// Named tensors of any program as dense layers and norms: which tensors belong together, and in which order they run.

/** A dense layer of a file. */
export interface DenseModule {
  readonly kind: 'dense';
  readonly path: string;
  readonly inputs: number;
  readonly outputs: number;
  /** (inputs, outputs), row-major. */
  readonly weight: Float32Array;
  readonly bias: Float32Array | null;
}

/** A BatchNorm of a file. */
export interface NormModule {
  readonly kind: 'norm';
  readonly path: string;
  readonly gamma: Float32Array;
  readonly beta: Float32Array;
  readonly mean: Float32Array;
  readonly variance: Float32Array;
  readonly epsilon: number;
}

/** What a tensor is to its module, and how its file lays out matrices. */
type Part = 'weight' | 'bias' | 'gamma' | 'beta' | 'mean' | 'variance' | 'counter';

interface Convention {
  readonly pattern: RegExp;
  readonly parts: Readonly<Record<string, Part>>;
  /** Whether matrices are (outputs, inputs). */
  readonly outFirst: boolean;
  readonly epsilon: number;
}

/** How programs name tensors: the groups of a pattern are the module's path, its name of the part, and a number of the layer. */
const CONVENTIONS: readonly Convention[] = [
  {
    // PyTorch.
    pattern: /^(?:(?<path>.+)\.)?(?<part>weight|bias|running_mean|running_var|num_batches_tracked)$/,
    parts: {
      ...{ weight: 'weight', bias: 'bias', running_mean: 'mean', running_var: 'variance' },
      num_batches_tracked: 'counter',
    },
    outFirst: true,
    epsilon: 1e-5,
  },
  {
    // numpy by hand, and treadle's own pickles: W1, b1, gamma1.
    pattern: /^(?:(?<path>.+)[./_])?(?<part>W|b|gamma|beta|running_mean|running_var)(?<number>\d{1,9})$/,
    parts: {
      ...{ W: 'weight', b: 'bias', gamma: 'gamma', beta: 'beta' },
      ...{ running_mean: 'mean', running_var: 'variance' },
    },
    outFirst: false,
    epsilon: 1e-5,
  },
  {
    // scikit-learn's coefs_ and intercepts_, list by list.
    pattern: /^(?:(?<path>.+)[./])?(?<part>coefs|intercepts)_?[._]?(?<number>\d{1,9})$/,
    parts: { coefs: 'weight', intercepts: 'bias' },
    outFirst: false,
    epsilon: 1e-5,
  },
  {
    // Keras.
    pattern: /^(?:(?<path>.+)[./])?(?<part>kernel|gamma|beta|moving_mean|moving_variance)(?::0)?$/,
    parts: {
      ...{ kernel: 'weight', gamma: 'gamma', beta: 'beta' },
      ...{ moving_mean: 'mean', moving_variance: 'variance' },
    },
    outFirst: false,
    epsilon: 1e-3,
  },
];

interface Group {
  path: string;
  convention: Convention;
  parts: Map<Part, { name: string; tensor: FloatTensor | null }>;
}

/** Names as people order them: numbers by their size. */
export function natural(a: string, b: string): number {
  const parts = (name: string): string[] => name.match(/\d+|\D+/g) ?? [];
  const [left, right] = [parts(a), parts(b)];
  for (let index = 0; index < Math.min(left.length, right.length); index++) {
    const [one, other] = [left[index]!, right[index]!];
    const [isNumber, isOther] = [/^\d/.test(one), /^\d/.test(other)];
    if (isNumber && isOther && Number(one) !== Number(other)) return Number(one) - Number(other);
    if (one !== other && !(isNumber && isOther)) return one < other ? -1 : 1;
  }
  return left.length - right.length;
}

/**
 * The layers of named tensors, by their names. Counters are null. Throws `format`, naming it, for a tensor that no dense layer
 * and no BatchNorm has.
 */
export function modulesOf(
  tensors: ReadonlyMap<string, FloatTensor | null>,
  source: string,
): { dense: DenseModule[]; norms: NormModule[] } {
  const groups = groupsOf(tensors, source);
  const dense: DenseModule[] = [];
  const norms: NormModule[] = [];
  for (const group of groups.toSorted((a, b) => natural(a.path, b.path))) {
    // W1 and gamma1 have one number, and are two layers; a Keras bias belongs to whichever has no beta.
    if (group.parts.has('weight') && shapeOf(group, 'weight').length === 2)
      dense.push(denseOf(group, source));
    if (isNorm(group)) norms.push(normOf(group, source));
    else if (!group.parts.has('weight') || shapeOf(group, 'weight').length !== 2)
      throw unknown(group, source);
  }
  if (dense.length === 0) throw formatError(source, 'it has no matrix of weights', 'a dense network');
  return { dense, norms };
}

function groupsOf(tensors: ReadonlyMap<string, FloatTensor | null>, source: string): Group[] {
  const groups = new Map<string, Group>();
  for (const [name, tensor] of tensors) {
    const found = CONVENTIONS.map((convention) => ({
      convention,
      match: convention.pattern.exec(name),
    })).find(({ match }) => match !== null);
    if (found === undefined) {
      const known = 'weight and bias, W1 and b1, coefs_0 and intercepts_0, or kernel and bias';
      throw formatError(
        source,
        `tensor ${quote(name)} is none that is known`,
        `a dense network's (${known})`,
      );
    }
    const { path = '', part = '', number } = found.match!.groups!;
    const key = number === undefined ? path : `${path}#${number}`;
    const known = groups.get(key);
    const convention =
      known === undefined || (known.convention.outFirst && !found.convention.outFirst)
        ? found.convention
        : known.convention;
    const group = known ?? { path: key, convention, parts: new Map() };
    group.convention = convention;
    group.parts.set(found.convention.parts[part]!, { name, tensor });
    groups.set(key, group);
  }
  return [...groups.values()];
}

function shapeOf({ parts }: Group, part: Part): readonly number[] {
  return parts.get(part)?.tensor?.shape ?? [];
}

const isNorm = ({ parts }: Group) => parts.has('mean') || parts.has('variance');

function denseOf({ path, parts, convention }: Group, source: string): DenseModule {
  const { tensor } = parts.get('weight')!;
  const [rows = 0, columns = 0] = tensor!.shape;
  const { outFirst } = convention;
  const [inputs, outputs] = outFirst ? [columns, rows] : [rows, columns];
  const weight = outFirst ? transpose(tensor!.data, rows, columns) : tensor!.data;
  const bias = parts.get('bias');
  if (bias !== undefined) expectRow(bias.name, bias.tensor, outputs, source);
  return { kind: 'dense', path, inputs, outputs, weight, bias: bias?.tensor?.data ?? null };
}

function normOf({ path, parts, convention }: Group, source: string): NormModule {
  const width = (parts.get('mean') ?? parts.get('variance'))!.tensor?.data.length ?? 0;
  const row = (part: Part, otherwise: number | null, second?: Part): Float32Array => {
    const found = parts.get(part) ?? (second === undefined ? undefined : parts.get(second));
    if (found === undefined) {
      if (otherwise !== null) return new Float32Array(width).fill(otherwise);
      throw formatError(
        source,
        `the BatchNorm ${quote(path)} has no ${part}`,
        'its running mean and variance',
      );
    }
    expectRow(found.name, found.tensor, width, source);
    return found.tensor!.data;
  };
  const isShared = parts.has('weight') && parts.get('weight')!.tensor?.shape.length === 2;
  return {
    kind: 'norm',
    path,
    gamma: row('gamma', 1, isShared ? undefined : 'weight'),
    beta: row('beta', 0, isShared ? undefined : 'bias'),
    mean: row('mean', null),
    variance: row('variance', null),
    epsilon: convention.epsilon,
  };
}

function expectRow(name: string, tensor: FloatTensor | null, width: number, source: string): void {
  if (tensor !== null && tensor.shape.length === 1 && tensor.data.length === width) return;
  const found = `tensor ${quote(name)} has shape [${tensor?.shape ?? []}]`;
  throw formatError(source, found, `[${width}], as its layer has,`);
}

/** The error of a group that is neither: what it probably is. */
function unknown({ path, parts }: Group, source: string): TreadleError {
  const [{ name, tensor }] = parts.values() as unknown as [{ name: string; tensor: FloatTensor | null }];
  const rank = tensor?.shape.length ?? 0;
  const what =
    rank >= 3
      ? `is of a convolution, or of another layer with ${rank} dimensions`
      : rank === 1 && parts.has('weight')
        ? 'is of a norm without running statistics, such as LayerNorm'
        : 'belongs to no dense layer and no BatchNorm';
  const shape = tensor === null ? '' : ` of shape [${tensor.shape}]`;
  return formatError(
    source,
    `tensor ${quote(name || path)}${shape} ${what}`,
    'dense layers and BatchNorm only',
  );
}

/** The longest search for an order; a network of 100 layers whose widths all differ needs a hundred steps. */
const MOST_TRIES = 20_000;

/**
 * Dense layers in the order in which they run: as their names are ordered if each takes what the one before it gives, else
 * the only order in which each does. Throws `format` where there is none, `usage` where there are several.
 */
export function inOrder(
  dense: readonly DenseModule[],
  source: string,
): { dense: DenseModule[]; isNatural: boolean } {
  const follows = (a: DenseModule, b: DenseModule) => a.outputs === b.inputs;
  if (dense.every((module, at) => at === 0 || follows(dense[at - 1]!, module))) {
    return { dense: [...dense], isNatural: true };
  }
  const found: DenseModule[][] = [];
  const used = new Set<DenseModule>();
  const chain: DenseModule[] = [];
  let tries = 0;
  const search = (): void => {
    if (found.length > 1 || ++tries > MOST_TRIES) return;
    if (chain.length === dense.length) found.push([...chain]);
    for (const module of dense) {
      if (used.has(module) || (chain.length > 0 && !follows(chain.at(-1)!, module))) continue;
      used.add(module);
      chain.push(module);
      search();
      chain.pop();
      used.delete(module);
    }
  };
  // A search as deep as there are layers: no deeper than a model may be.
  if (dense.length <= 1024) search();
  if (found.length === 1 && tries <= MOST_TRIES) return { dense: found[0]!, isNatural: false };
  const widths = listed(
    dense.map(({ path, inputs, outputs }) => `${quote(path)} ${inputs} -> ${outputs}`),
    6,
  );
  if (found.length > 1 || tries > MOST_TRIES) {
    throw problem('usage', {
      subject: 'spec',
      found: undefined,
      because: `the layers of ${source} may follow one another in several orders: ${widths}`,
      expected: 'a model in JSON, to whose widths they fit in one order,',
    });
  }
  throw formatError(source, `its layers do not follow one another: ${widths}`, 'a chain of dense layers');
}
