import { lowerModel, type ModelSpec } from '#bindings';
import { quote } from '../../strict/text.js';
import { type FloatTensor, formatError } from '../tensor.js';
import { type DenseModule, inOrder, modulesOf, type NormModule } from './modules.js';
import type { Activation, Step } from './steps.js';

// Named tensors as the steps of a network. What names do not say is the activation; where layers are numbered as in
// torch.nn.Sequential, the gaps between the numbers say where one is.

/** The steps of named tensors, and what was taken for granted, a sentence each. */
export function namedSteps(
  tensors: ReadonlyMap<string, FloatTensor | null>,
  activation: Activation,
  source: string,
): { steps: Step[]; notes: string[]; assumesActivation: boolean } {
  const modules = modulesOf(tensors, source);
  const { dense, isNatural } = inOrder(modules.dense, source);
  const notes: string[] = [];
  if (!isNatural) {
    notes.push(
      `The order of the layers follows from their widths: ${dense.map(({ path }) => quote(path)).join(', ')}.`,
    );
  }
  const placed = placeNorms(dense, modules.norms, source);
  const gaps = dense.slice(1).map((next, at) => gapBetween(dense[at]!, placed.get(dense[at]!) ?? [], next));
  // Numbers without any gap are those of a ModuleList, whose activations are in its program.
  const isSequential = gaps.some((gap) => gap !== null && gap > 0);
  const steps: Step[] = [];
  let count = 0;
  dense.forEach((module, at) => {
    const { path: name, inputs, outputs, weight, bias } = module;
    steps.push({ kind: 'dense', name, inputs, outputs, weight, bias });
    const norms = placed.get(module) ?? [];
    const isLast = at === dense.length - 1;
    const isActive = !isLast && (!isSequential || gaps[at] !== 0);
    // Behind the activation where its own number leaves room for one before it, and none is left behind it.
    const isLate = isSequential && norms.length > 0 && (numberGap(module.path, norms[0]!.path) ?? 0) > 0;
    if (!isLate) steps.push(...norms.map(normStep));
    if (isActive) {
      steps.push({ kind: 'activation', name: `behind ${name}`, layer: activation });
      count++;
    }
    if (isLate) {
      steps.push(...norms.map(normStep));
      notes.push(
        `The BatchNorm ${quote(norms[0]!.path)} is taken to stand behind the activation, as its number leaves room for it.`,
      );
    }
  });
  return { steps, notes, assumesActivation: count > 0 };
}

function normStep({ path, gamma, beta, mean, variance, epsilon }: NormModule): Step {
  return { kind: 'norm', name: path, gamma, beta, mean, variance, epsilon };
}

/** The path above a number, and the number; null for a path that does not end with one behind a point. */
function numbered(path: string): [parent: string, number: number] | null {
  const [, parent = '', number] = /^(?:(.*)\.)?(\d{1,9})$/.exec(path) ?? [];
  return number === undefined ? null : [parent, Number(number)];
}

/** Numbers between those of two siblings; null for others. */
function numberGap(first: string, second: string): number | null {
  const [a, b] = [numbered(first), numbered(second)];
  if (a === null || b === null || a[0] !== b[0] || b[1] <= a[1]) return null;
  return b[1] - a[1] - 1;
}

/** Numbers between two dense layers that no norm has; null where they are not numbered as siblings. */
function gapBetween(from: DenseModule, norms: readonly NormModule[], to: DenseModule): number | null {
  const gap = numberGap(from.path, to.path);
  if (gap === null) return null;
  return gap - norms.filter(({ path }) => numberGap(from.path, path) !== null).length;
}

/** Which norms stand behind which dense layer: by numbers among siblings, else by the number in the name, else by width. */
function placeNorms(
  dense: readonly DenseModule[],
  norms: readonly NormModule[],
  source: string,
): Map<DenseModule, NormModule[]> {
  const placed = new Map<DenseModule, NormModule[]>();
  for (const norm of norms) {
    const width = norm.mean.length;
    const fits = dense.filter(({ outputs }) => outputs === width);
    const before = fits.findLast(({ path }) => numberGap(path, norm.path) !== null);
    const number = lastNumber(norm.path);
    const alike = number === null ? [] : fits.filter(({ path }) => lastNumber(path) === number);
    const free = fits.find((module) => !placed.has(module));
    const module = before ?? (alike.length === 1 ? alike[0]! : free);
    if (module === undefined) {
      const found = `the BatchNorm ${quote(norm.path)} is ${width} wide`;
      throw formatError(source, found, 'a width that a dense layer before it gives');
    }
    placed.set(module, [...(placed.get(module) ?? []), norm]);
  }
  return placed;
}

function lastNumber(path: string): number | null {
  const [number] = /\d+(?=\D*$)/.exec(path) ?? [];
  return number === undefined ? null : Number(number);
}

/** The tensors of a spec whose dense layers and norms a file has under names of its own, in the spec's order of widths. */
export function stepsOfSpec(
  spec: ModelSpec,
  tensors: ReadonlyMap<string, FloatTensor | null>,
  source: string,
): { dense: DenseModule; norm: NormModule | null }[] {
  const { dense, norms } = modulesOf(tensors, source);
  const left = new Set(dense);
  const leftNorms = new Set(norms);
  const blocks = lowerModel(spec).map(({ layer, inputs, outputs, norm }) => {
    const module = [...left].find((own) => own.inputs === inputs && own.outputs === outputs);
    if (module === undefined) {
      throw formatError(
        source,
        `it has no matrix for layers[${layer}] of the spec`,
        `one of ${inputs} x ${outputs}`,
      );
    }
    left.delete(module);
    if (norm === null) return { dense: module, norm: null };
    const own = [...leftNorms].find(({ mean }) => mean.length === outputs);
    if (own === undefined) {
      throw formatError(
        source,
        `it has no BatchNorm for layers[${norm.layer}] of the spec`,
        `one of ${outputs}`,
      );
    }
    leftNorms.delete(own);
    return { dense: module, norm: own };
  });
  const [stray] = [...left, ...leftNorms];
  if (stray === undefined) return blocks;
  throw formatError(source, `${quote(stray.path)} is in no layer of the spec`, 'a spec of all its layers');
}
