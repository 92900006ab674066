import { TreadleError } from '#bindings';
import { quote } from '../strict/text.js';
import { describeArrays, describeSafetensors, type TensorDescription } from './describe.js';
import { type Conversions, conversionNotes, floatTensor } from './floats.js';
import { expectOwn } from './foreign.js';
import { checkWidths, readMetadata, type WeightsMetadata } from './metadata.js';
import { fromNumpy, fromStateDict, type LoadedNetwork } from './naming.js';
import { floatArrays, pickledArrays } from './pickle.js';
import { decodeSafetensors, type SafetensorsEntry, type SafetensorsFile, tensorOf } from './safetensors.js';
import { formatError, type Tensor } from './tensor.js';
import { withoutWrappers } from './wrappers.js';

export type { TensorDescription } from './describe.js';

// Weights files of classifiers, whatever wrote them: which format, what network, and why none.

/** Formats a model is saved in, in the order in which `saveWeights` writes them. */
export type WeightsFormat = 'safetensors' | 'pickle';

/** A model read from a weight file. */
export interface LoadedWeights extends LoadedNetwork {
  /** What was done to read it, a sentence each: types that were converted, a prefix that was left out. */
  notes?: readonly string[];
  /** Null for a pickle and for a file that treadle did not write. */
  metadata: WeightsMetadata | null;
  format: WeightsFormat;
}

/** What a weight file holds, whether it is a network or not. */
export interface WeightsDescription {
  format: WeightsFormat;
  /** Every tensor or array, in the file's order. */
  tensors: TensorDescription[];
  /** The file's metadata, unparsed; null when it has none, as a pickle. */
  stored: Record<string, string> | null;
  /** The network, if the file is one. */
  network: LoadedWeights | null;
  /** Why the file is no network that can be tested, if so. */
  problem: TreadleError | null;
}

/**
 * The model in the bytes of a weight file; the format is told by the content, never by the name.
 * Throws `format` (bytes that are neither format, or break its rules), `shape` (tensors that are no dense network, or
 * not the one that the metadata states) or `range` (values that cannot be weights).
 */
export function decodeWeights(bytes: Uint8Array, path: string): LoadedWeights {
  return networkOf(openWeights(bytes, path), path);
}

/** Describes the bytes of a weight file. Throws `format` for bytes that are neither format, or break its rules. */
export function describeWeights(bytes: Uint8Array, path: string): WeightsDescription {
  const content = openWeights(bytes, path);
  const { format } = content;
  const tensors = tensorsOf(content, path);
  const stored = format === 'safetensors' ? content.metadata : null;
  try {
    return { format, tensors, stored, network: networkOf(content, path), problem: null };
  } catch (problem) {
    if (!(problem instanceof TreadleError)) throw problem;
    return { format, tensors, stored, network: null, problem };
  }
}

/** A file whose form has been checked, its tensors unread. */
export type FileContent =
  | ({ format: 'safetensors' } & SafetensorsFile)
  | { format: 'pickle'; arrays: ReturnType<typeof pickledArrays> };

export function openWeights(bytes: Uint8Array, path: string): FileContent {
  const format = formatOf(bytes);
  if (format === 'pickle') return { format, arrays: pickledArrays(bytes, path) };
  if (format === 'safetensors') return { format, ...decodeSafetensors(bytes, path) };
  expectOwn(bytes, path);
  const start = [...bytes.subarray(0, 4)].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
  const found = bytes.length === 0 ? 'the file is empty' : `the file begins with the bytes ${start}`;
  throw formatError(path, found, 'a safetensors file or a pickle');
}

export function tensorsOf(content: FileContent, path: string): TensorDescription[] {
  return content.format === 'pickle'
    ? describeArrays(content.arrays, path)
    : describeSafetensors(content.tensors);
}

function networkOf(content: FileContent, path: string): LoadedWeights {
  const conversions: Conversions = new Map();
  if (content.format === 'pickle') {
    const network = fromNumpy(floatArrays(content.arrays, path, conversions), path);
    return { ...network, metadata: null, format: 'pickle', ...told(conversionNotes(conversions)) };
  }
  const { tensors, prefix } = withoutWrappers(content.tensors);
  const network = fromStateDict(stateDict(tensors, path, conversions), path);
  const metadata = readMetadata(content.metadata, path);
  if (metadata !== null) checkWidths(metadata, [network.inputs, ...network.hidden, network.classes], path);
  const left = prefix === '' ? [] : [`The prefix ${quote(prefix)} of all names is left out.`];
  return {
    ...network,
    metadata,
    format: 'safetensors',
    ...told([...left, ...conversionNotes(conversions)]),
  };
}

const told = (notes: readonly string[]) => (notes.length === 0 ? {} : { notes });

/** A file's tensors, copied out of it: 32-bit floats, and counters of batches as they are. */
function stateDict(
  tensors: ReadonlyMap<string, SafetensorsEntry>,
  source: string,
  conversions: Conversions,
): Map<string, Tensor> {
  return new Map(
    [...tensors].map(([name, entry]) => [
      name,
      entry.dtype === 'I64' ? tensorOf(entry, name, source) : floatTensor(entry, name, source, conversions),
    ]),
  );
}

/**
 * The format by content: a safetensors header begins with "{" at byte 8, where a pickle of a dict has the upper bytes
 * of a frame's or a name's length, far too large a number if they were "{".
 */
export function formatOf(bytes: Uint8Array): WeightsFormat | null {
  if (bytes[8] === 0x7b) return 'safetensors';
  return bytes[0] === 0x80 ? 'pickle' : null;
}
