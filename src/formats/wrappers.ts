/** What wrappers of a PyTorch module put before each name: DataParallel, torch.compile, and two usual names of attributes. */
const WRAPPERS = ['module.', '_orig_mod.', 'net.', 'model.'];

/** Tensors without the prefixes of wrappers that stand before all of their names, and what was taken away. */
export function withoutWrappers<T>(tensors: ReadonlyMap<string, T>): {
  tensors: ReadonlyMap<string, T>;
  prefix: string;
} {
  const [first = ''] = tensors.keys();
  let length = 0;
  for (;;) {
    const next = WRAPPERS.find((wrapper) => first.startsWith(wrapper, length));
    if (next === undefined) break;
    const prefix = first.slice(0, length + next.length);
    if (![...tensors.keys()].every((name) => name.startsWith(prefix))) break;
    length = prefix.length;
  }
  if (length === 0) return { tensors, prefix: '' };
  return {
    tensors: new Map([...tensors].map(([name, tensor]) => [name.slice(length), tensor])),
    prefix: first.slice(0, length),
  };
}
