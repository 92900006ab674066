/**
 * Named bytes that producers and workers share: checkpoints, results, data. A name is parts with slashes between them, each
 * of letters, digits, "-", "_", "." and "+", the first of them no ".".
 */
export interface Store {
  /** Where it is, without credentials: the same text for all who share it. */
  readonly location: string;
  /** Keeps bytes under a name for so many milliseconds, in place of what was there. A reader sees all of them or none. */
  put(name: string, bytes: Uint8Array, lifeMs: number): Promise<void>;
  /** The bytes of a name; null where there are none. Throws `format` for more than `maxBytes`, before they are read. */
  get(name: string, maxBytes: number): Promise<Uint8Array | null>;
  /** The names that begin so, sorted. */
  list(prefix: string): Promise<string[]>;
  /** Removes a name, if it is there. */
  delete(name: string): Promise<void>;
  /** Lets go of what is open. */
  close(): Promise<void>;
}

const NAME = /^(?:[\w-][\w.+-]{0,250}\/)*[\w-][\w.+-]{0,250}$/;

/** Throws for a name that a store does not take: no name that treadle makes is one. */
export function expectName(name: string): void {
  if (name.length > 1000 || !NAME.test(name))
    throw new Error(`${JSON.stringify(name)} is no name of an object`);
}

/** Removes all names that begin so. */
export async function deleteAll(store: Store, prefix: string): Promise<void> {
  for (const name of await store.list(prefix)) await store.delete(name);
}
