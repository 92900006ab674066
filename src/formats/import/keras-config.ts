import * as v from 'valibot';
import { structureProblem } from '../../strict/json.js';
import { listed, quote } from '../../strict/text.js';
import { formatError } from '../tensor.js';

// A model's configuration as Keras 2 and 3 write it: which layers a row passes, in their order.

/** A layer of a model. */
export interface KerasLayer {
  readonly className: string;
  /** What its model calls it; unique there. */
  readonly name: string;
  readonly config: Readonly<Record<string, unknown>>;
  /** How many layers of its class stand before it in its model: what tells their weights apart. */
  readonly place: number;
  /** The models that it is in, the innermost last; none for the file's own. */
  readonly models: readonly KerasLayer[];
}

const LIMITS = { depth: 64, values: 1_000_000 };

/** Models within one another. */
const MOST_DEEP = 8;

const Described = v.object({ class_name: v.string(), config: v.record(v.string(), v.unknown()) });
const Listed = v.object({
  ...Described.entries,
  name: v.optional(v.string()),
  inbound_nodes: v.optional(v.array(v.unknown())),
});
const Layers = v.object({ layers: v.array(Listed), output_layers: v.optional(v.unknown()) });

/**
 * The layers that a row passes, in their order. Throws `format` for a configuration that is none, or of a model whose layers do
 * not follow one another.
 */
export function layersOfConfig(json: string, source: string): KerasLayer[] {
  const problem = structureProblem(json, LIMITS);
  if (problem !== null) throw formatError(source, `its configuration ${problem}`, 'what Keras writes');
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    throw formatError(source, 'its configuration is no JSON', 'what Keras writes');
  }
  const model = v.safeParse(Described, value);
  if (!model.success) throw formatError(source, 'its configuration describes no model', 'what Keras writes');
  return chainOf(model.output, [], source);
}

const isModel = (className: string) => /^(Sequential|Functional|Model)$/.test(className);

function chainOf(
  { class_name, config }: v.InferOutput<typeof Described>,
  models: readonly KerasLayer[],
  source: string,
): KerasLayer[] {
  const parsed = isModel(class_name) ? v.safeParse(Layers, config) : null;
  if (!parsed?.success || models.length > MOST_DEEP) {
    const found = `its model is of the class ${quote(class_name)}`;
    throw formatError(source, found, 'Sequential, or a Model of inputs and outputs,');
  }
  const { layers, output_layers } = parsed.output;
  const counts = new Map<string, number>();
  const known = new Map<string, { layer: KerasLayer; nodes: unknown[] | undefined }>();
  for (const { class_name: className, config: own, name = own.name, inbound_nodes } of layers) {
    if (typeof name !== 'string' || known.has(name)) {
      throw formatError(source, 'its layers have no names of their own', 'what Keras writes');
    }
    const place = counts.get(className) ?? 0;
    counts.set(className, place + 1);
    known.set(name, { layer: { className, name, config: own, place, models }, nodes: inbound_nodes });
  }
  const inOrder =
    class_name === 'Sequential'
      ? [...known.values()].map(({ layer }) => layer)
      : backwards(known, output_layers, source);
  return inOrder.flatMap((layer) =>
    isModel(layer.className)
      ? chainOf({ class_name: layer.className, config: layer.config }, [...models, layer], source)
      : [layer],
  );
}

/** From a model's output back to its input, the first layer first. */
function backwards(
  known: ReadonlyMap<string, { layer: KerasLayer; nodes: unknown[] | undefined }>,
  outputs: unknown,
  source: string,
): KerasLayer[] {
  const chain: KerasLayer[] = [];
  let name = onlyOne(layersNamedIn(outputs), 'its model has outputs of', source);
  for (;;) {
    const { layer, nodes = [] } = known.get(name) ?? {};
    if (layer === undefined) throw formatError(source, `its model has no layer ${quote(name)}`, 'one');
    if (chain.length === known.size) throw formatError(source, 'its layers go in a circle', 'a model');
    chain.unshift(layer);
    if (layer.className === 'InputLayer') return chain;
    if (nodes.length !== 1) {
      throw formatError(source, `the layer ${quote(name)} is used ${nodes.length} times`, 'once');
    }
    name = onlyOne(layersNamedIn(nodes), `the layer ${quote(name)} takes the outputs of`, source);
  }
}

function onlyOne(names: readonly string[], what: string, source: string): string {
  if (names.length === 1) return names[0]!;
  throw formatError(source, `${what} ${names.length === 0 ? 'none' : listed(names.map(quote))}`, 'one layer');
}

/** The layers that a value refers to: Keras 3's tensors, or the lists of name, node and tensor of Keras 2. */
function layersNamedIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  if (Array.isArray(value)) {
    const [name, node, tensor] = value;
    if (typeof name === 'string' && Number.isInteger(node) && Number.isInteger(tensor)) return [name];
    return value.flatMap(layersNamedIn);
  }
  return Object.entries(value).flatMap(([key, own]) =>
    // Words beside a tensor, such as a mask's, may name others.
    key === 'kwargs' ? [] : layersNamedIn(own),
  );
}
