import { createHash } from 'node:crypto';
import { joinParts } from '../formats/safetensors.js';
import { formatError } from '../formats/tensor.js';
import { expectName, type Store } from './store.js';

/** What a sealed object begins with. */
const MAGIC = Buffer.from('treadle1');
const DIGEST_BYTES = 32;
const HEADER = MAGIC.length + DIGEST_BYTES;

/** Bytes with the SHA-256 of themselves and of their name in front of them. */
export function seal(name: string, bytes: Uint8Array): Uint8Array {
  return joinParts([MAGIC, digestOf(name, bytes), bytes]);
}

/** The bytes that were sealed under this name. Throws `format` for any others. */
export function unseal(name: string, sealed: Uint8Array): Uint8Array {
  const source = `The object ${name} of the store`;
  if (sealed.length < HEADER || !MAGIC.equals(sealed.subarray(0, MAGIC.length)))
    throw formatError(source, 'it does not begin as one', 'an object that treadle stored');
  const bytes = sealed.subarray(HEADER);
  const digest = digestOf(name, bytes);
  if (!digest.equals(sealed.subarray(MAGIC.length, HEADER)))
    throw formatError(source, `its SHA-256 is ${digest.toString('hex')}`, 'the one that stands in it');
  return bytes;
}

/** A store whose objects are checked: what is damaged, or stands under another name, is refused. */
export function sealedStore(store: Store): Store {
  return {
    location: store.location,
    async put(name, bytes, lifeMs) {
      expectName(name);
      await store.put(name, seal(name, bytes), lifeMs);
    },
    async get(name, maxBytes) {
      expectName(name);
      const sealed = await store.get(name, maxBytes + HEADER);
      return sealed === null ? null : unseal(name, sealed);
    },
    list: (prefix) => store.list(prefix),
    async delete(name) {
      expectName(name);
      await store.delete(name);
    },
    close: () => store.close(),
  };
}

function digestOf(name: string, bytes: Uint8Array): Buffer {
  return createHash('sha256').update(name).update('\0').update(bytes).digest();
}
