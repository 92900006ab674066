import type { Head, ModelSpec } from '#bindings';

/** The head of a model, or the one it would have before training has decided it. */
export function headOf({ output, layers }: ModelSpec): Head {
  const last = layers.at(-1)!;
  return output?.head ?? (last.type === 'dense' && last.units > 1 ? 'softmax' : 'identity');
}
