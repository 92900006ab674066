import { type Core, Network, outputsOf, problem, TreadleError } from '#bindings';
import { inferenceNetwork } from '../experiment/evaluate.js';
import { decodeModel } from '../formats/model-bytes.js';
import { readFileBounded } from '../node/files.js';
import { decodeWeights, type LoadedWeights, MAX_FILE_BYTES } from '../node/model-file.js';

/** Width and height in pixels. */
export type Size = readonly [number, number];

/** A model that names images in bytes: of a run, or of any layers that the library, or the live page, has saved. */
export interface ImageModel {
  inputs: number;
  classes: number;
  /** Names of the classes; null where the file has none. */
  classNames: readonly string[] | null;
  /** What the file says of its images; null where it says nothing. */
  size: Size | null;
  /** What was done to read it, a sentence each. */
  notes: readonly string[];
  /** The network, which only predicts; dispose of it. */
  open(core: Core): Network;
}

/** The model in a file. Throws what reading it throws, and `usage` for a model of something else than images. */
export async function readImageModel(file: string): Promise<ImageModel> {
  const bytes = await readFileBounded(file, MAX_FILE_BYTES);
  try {
    return ofRun(decodeWeights(bytes, file));
  } catch (error) {
    if (!(error instanceof TreadleError)) throw error;
    return ofLibrary(bytes, file, error);
  }
}

function ofRun(weights: LoadedWeights): ImageModel {
  const { inputs, classes, metadata, notes = [] } = weights;
  return {
    inputs,
    classes,
    classNames: metadata?.classNames ?? null,
    size: metadata && [metadata.imageWidth, metadata.imageHeight],
    notes,
    open: (core) => inferenceNetwork(core, weights),
  };
}

/** A model of the library's. Throws `otherwise` for bytes that are none. */
function ofLibrary(bytes: Uint8Array, file: string, otherwise: TreadleError): ImageModel {
  const { spec, tensors } = decodedOr(bytes, file, otherwise);
  const { features, type = 'f32', shape } = spec.input;
  const { head = 'softmax' } = spec.output ?? {};
  if (type !== 'u8' || head !== 'softmax') {
    const found = type === 'u8' ? `a model with the head ${head}` : 'a model of numbers';
    throw problem('usage', {
      subject: file,
      found,
      expected: 'one that names images in bytes, or --model for one of a table,',
    });
  }
  return {
    inputs: features,
    classes: outputsOf(spec),
    classNames: spec.classes ?? null,
    size: sizeOf(shape),
    notes: [],
    open(core) {
      const network = new Network(core, spec);
      network.setTensors(tensors);
      return network;
    },
  };
}

function decodedOr(bytes: Uint8Array, file: string, otherwise: TreadleError) {
  try {
    return decodeModel(bytes, file);
  } catch {
    throw otherwise;
  }
}

/** Rows and columns as width and height; null for what is no such shape. */
function sizeOf([height, width, ...more]: readonly number[] = []): Size | null {
  return height === undefined || width === undefined || more.length > 0 ? null : [width, height];
}
