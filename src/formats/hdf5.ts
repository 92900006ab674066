import { Dataset, File, Group } from 'jsfive';
import { quote } from '../strict/text.js';
import { type Conversions, noteConversion } from './floats.js';
import { elementCount, type FloatTensor, formatError } from './tensor.js';

// HDF5 as h5py writes it, read by jsfive. Whatever a file makes that do is counted (scripts/mends.js): folders that hold
// themselves and arrays of a billion numbers end it.

/** The arrays and texts of an HDF5 file. */
export interface Hdf5 {
  /** Names of arrays with the folders that they are in, `layers/dense/vars/0`, in the file's order. */
  readonly paths: readonly string[];
  /** An array of floating-point numbers as 32-bit floats, a copy. Throws `format` for any other. */
  floats(path: string, conversions: Conversions): FloatTensor;
  /** A text among the attributes of a folder, `` for the file's own; null where there is none. */
  text(folder: string, name: string): string | null;
}

/** Folders within one another: a nested model of Keras needs three for each model. */
const MOST_DEEP = 32;
/** Things that may be done for each byte of a file, and beside them. */
const WORK = 4;
const LEAST_WORK = 200_000;

const TYPES: Readonly<Record<string, string>> = { f2: 'F16', f4: 'F32', f8: 'F64' };

/** Opens an HDF5 file. Throws `format` for bytes that are none or are damaged. */
export function openHdf5(bytes: Uint8Array, source: string): Hdf5 {
  const guarded = <T>(read: () => T): T => {
    try {
      return read();
    } catch (error) {
      const why =
        error instanceof Worn ? 'it takes more work than a file of its size can' : 'its HDF5 cannot be read';
      throw formatError(source, why, 'HDF5 as h5py writes it, uncompressed,');
    }
  };
  const arrays = new Map<string, Dataset>();
  const folders = new Map<string, Group>();
  const walk = (folder: Group, path: string, depth: number): void => {
    if (depth > MOST_DEEP) throw new Worn();
    folders.set(path, folder);
    for (const name of folder.keys) {
      const own = path === '' ? name : `${path}/${name}`;
      const found = folder.get(name);
      if (found instanceof Dataset) arrays.set(own, found);
      else if (found instanceof Group && !folders.has(own)) walk(found, own, depth + 1);
    }
  };
  guarded(() => walk(new File(meteredCopy(bytes)), '', 0));
  return {
    paths: [...arrays.keys()],
    floats(path, conversions) {
      const array = arrays.get(path)!;
      const { shape, dtype } = guarded(() => ({ shape: array.shape, dtype: array.dtype }));
      const type = typeof dtype === 'string' ? TYPES[dtype.slice(1)] : undefined;
      if (type === undefined) {
        const found = `array ${quote(path)} is of dtype ${quote(String(dtype))}`;
        throw formatError(source, found, 'float32, float16 or float64');
      }
      const values = guarded(() => array.value);
      if (!Array.isArray(values) || values.length !== elementCount(shape)) {
        throw formatError(
          source,
          `array ${quote(path)} has no values for [${shape}]`,
          'an array that was written',
        );
      }
      const data = Float32Array.from(values);
      if (type !== 'F32') noteConversion(conversions, type, path, values, data);
      return { dtype: 'F32', shape: [...shape], data };
    },
    text(folder, name) {
      const value = guarded(() => {
        const attributes = folders.get(folder)?.attrs ?? {};
        return Object.hasOwn(attributes, name) ? attributes[name] : null;
      });
      return typeof value === 'string' ? value : null;
    },
  };
}

/** More work than a file may make. */
class Worn extends Error {}

/** A copy of bytes that counts what is read and copied of them, and of the copies. */
function meteredCopy(bytes: Uint8Array): ArrayBuffer {
  let room = WORK * bytes.length + LEAST_WORK;
  class Metered extends ArrayBuffer {
    /** Counts so much work. Throws when there has been too much. */
    spend(work: number): void {
      room -= 1 + work;
      if (!(room >= 0)) throw new Worn();
    }

    override slice(begin?: number, end?: number): ArrayBuffer {
      const copy = super.slice(begin, end);
      this.spend(copy.byteLength);
      return copy;
    }
  }
  const copy = new Metered(bytes.length);
  new Uint8Array(copy).set(bytes);
  return copy;
}
