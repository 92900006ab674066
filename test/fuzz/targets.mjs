// The readers that are fuzzed: how each is called, what its values must satisfy, and the bytes it may allocate.
import { installMeter } from './meter.mjs';

installMeter();
const dist = (path) => import(new URL(`../../dist/${path}`, import.meta.url).href);
const { TreadleError } = await dist('bindings/index.js');
const { openIdxFile } = await dist('fashion-mnist/idx-file.js');
const { readIdxImages, readIdxLabels } = await dist('node/idx.js');
const { decodeImage } = await dist('node/image.js');
const { decodeWeights, describeWeights } = await dist('node/model-file.js');
const { parseConfig } = await dist('cli/config-file.js');
const { parseResults } = await dist('results/results.js');
const { defaultConfig, resolveConfig } = await dist('experiment/config.js');
const { encodePickle } = await dist('formats/pickle.js');
const { encodeSafetensors } = await dist('formats/safetensors.js');
const { storeMetadata } = await dist('formats/metadata.js');
const { toNumpy, toStateDict } = await dist('formats/naming.js');
const { encodeModel } = await dist('formats/model-bytes.js');
const { exportModel } = await dist('formats/export/formats.js');
const { importModel } = await dist('formats/import/import.js');
const { CsvReader } = await dist('table/csv-reader.js');
const { readEncoder } = await dist('table/encoder.js');
const { exportTable } = await dist('table/export/export.js');
const { parseParquet } = await dist('table/parquet.js');
const { decideKinds } = await dist('table/kinds.js');

export { TreadleError };

// What the reader of Parquet waits for is no time, but a turn of the event loop: a thousand inputs a second, not a hundred.
const { setTimeout } = globalThis;
globalThis.setTimeout = (callback, delay = 0, ...args) =>
  delay <= 1 ? setImmediate(callback, ...args) : setTimeout(callback, delay, ...args);

/** What the corpus is made with. */
export const encoders = {
  defaultConfig,
  encodeModel,
  encodePickle,
  encodeSafetensors,
  exportModel,
  exportTable,
  storeMetadata,
  toNumpy,
  toStateDict,
};

const KIB = 1024;
const MIB = 1024 * KIB;

/** What every call may take beside what its reader declares: an error with its stack, and what V8 compiles. */
const SLACK = 256 * KIB;

const SIZE = 8;

/**
 * `read` is given a file's bytes; `check`, given what it returned and the bytes, throws when that breaks a promise;
 * `limit` is the number of bytes that reading a file may allocate in all, as the reader's own comment declares it.
 */
export const TARGETS = {
  idx: {
    read: readEitherIdx,
    check: checkIdx,
    limit: ({ length }) => length + SLACK,
  },
  gzip: {
    read: (bytes) => openIdxFile('train-images-idx3-ubyte', 'x', bytes, false),
    check: ({ content, digest }) => must(content.length > 16 && digest.length === 32),
    // What is inflated, and as much again where it is of another type.
    limit: ({ length }) => 2 * 1032 * length + 5 * MIB + SLACK,
  },
  safetensors: {
    read: (bytes) => decodeWeights(bytes, 'x'),
    check: checkWeights,
    limit: ({ length }) => 64 * length + SLACK,
  },
  pickle: {
    read: (bytes) => decodeWeights(bytes, 'x'),
    check: checkWeights,
    limit: ({ length }) => 400 * length + SLACK,
  },
  inspect: {
    read: (bytes) => describeWeights(bytes, 'x'),
    check: checkDescription,
    limit: ({ length }) => 400 * length + SLACK,
  },
  import: {
    read: (bytes) => importModel(bytes, { source: 'x' }),
    // What is imported is a model: it is read again, and exported.
    check: ({ bytes }) => must(exportModel(bytes, 'onnx').length > 100),
    limit: ({ length }) => 400 * length + 10 * MIB + SLACK,
  },
  keras: {
    read: (bytes) => importModel(bytes, { source: 'x' }),
    check: ({ bytes }) => must(exportModel(bytes, 'onnx').length > 100),
    limit: ({ length }) => 400 * length + 10 * MIB + SLACK,
  },
  config: {
    read: (bytes) => parseConfig(Buffer.from(bytes).toString('utf8'), 'x'),
    check: (config) => resolveConfig(config),
    limit: ({ length }) => 64 * length + SLACK,
  },
  results: {
    read: (bytes) => parseResults(Buffer.from(bytes).toString('utf8'), 'x'),
    check: (results) =>
      must(
        results.schema === 2 &&
          results.models.every(({ epochs }) => epochs.length >= 0) &&
          new Set(results.models.map(({ id }) => id)).size === results.models.length,
      ),
    limit: ({ length }) => 64 * length + SLACK,
  },
  csv: {
    read(bytes) {
      const reader = new CsvReader({ separator: undefined, decimal: '.' }, 'x');
      reader.push(bytes);
      return reader.end();
    },
    check: checkTable,
    limit: ({ length }) => 2000 * length + 10 * MIB + SLACK,
  },
  parquet: {
    read: (bytes) => parseParquet(bytes, 'x'),
    check: checkTable,
    // What its pages unpack to, and cells in several arrays.
    limit: ({ length }) => 192 * MIB + 8 * KIB * length + SLACK,
  },
  encoder: {
    read: (bytes) => readEncoder(Buffer.from(bytes).toString('utf8'), 'x'),
    check: ({ columns, target }) =>
      must(columns.every(({ kind }) => kind !== undefined) && target.task !== undefined),
    limit: ({ length }) => 64 * length + SLACK,
  },
  png: {
    read: (bytes) => decodeImage(bytes, 'x', SIZE, SIZE),
    check: checkPixels,
    limit: pngLimit,
  },
  jpeg: {
    read: (bytes) => decodeImage(bytes, 'x', SIZE, SIZE),
    check: checkPixels,
    limit: ({ length }) => 6 * KIB * length + 2 * MIB + SLACK,
  },
};

function must(isTrue) {
  if (!isTrue) throw new Error('what was read breaks a promise of the reader');
}

/** The IDX file that the magic number says, or an image file. */
function readEitherIdx(bytes) {
  return bytes[3] === 1 ? readIdxLabels(bytes, 'x') : readIdxImages(bytes, 'x');
}

function checkIdx(read) {
  if ('labels' in read) must(read.labels.length === read.count && read.count > 0);
  else {
    const { images, count, height, width } = read;
    must(images.length === count * height * width && images.length > 0 && height * width <= 1 << 20);
  }
}

function checkWeights({ tensors, inputs, hidden, classes }) {
  const widths = [inputs, ...hidden, classes];
  must(hidden.length > 0 && classes > 1 && tensors.dense.length === hidden.length + 1);
  must(tensors.batchNorm.length === hidden.length && Number.isSafeInteger(tensors.batchesTracked));
  tensors.dense.forEach(({ weight, bias }, layer) => {
    must(weight.length === widths[layer] * widths[layer + 1] && bias.length === widths[layer + 1]);
    must(weight.every(Number.isFinite) && bias.every(Number.isFinite));
  });
  tensors.batchNorm.forEach((norm, block) => {
    must(Object.values(norm).every((values) => values.length === hidden[block]));
    must(norm.runningVar.every((value) => value >= 0));
  });
}

/** A file is shown as a network where it can be loaded as one, and nowhere else; a range is in order. */
function checkDescription({ tensors, network, problem }, bytes) {
  for (const { name, dtype, shape, min, max, mean } of tensors) {
    must(typeof name === 'string' && dtype.length > 0 && shape.every(Number.isSafeInteger));
    must((min === null) === (max === null) && (min === null) === (mean === null));
    must(min === null || min <= max || Number.isNaN(min));
  }
  must((network === null) === problem instanceof TreadleError);
  try {
    checkWeights(decodeWeights(bytes, 'x'));
    must(network !== null);
  } catch (error) {
    must(error.message === problem?.message);
  }
}

/** Every column has a cell for each row, and something can be decided of it. */
function checkTable(table) {
  must(table.columns.length > 0);
  for (const { name, cells } of table.columns) must(name.trim() !== '' && [...cells].length === table.rows);
  must(decideKinds(table).length === table.columns.length);
}

function checkPixels(pixels) {
  must(pixels instanceof Uint8Array && pixels.length === SIZE * SIZE);
}

/**
 * 64 times the file, three times the scanlines and 24 bytes a pixel, most of which are numbers that last a moment. A
 * header that is refused allows for no image.
 */
function pngLimit(bytes) {
  const least = 64 * bytes.length + SLACK;
  if (bytes.length < 33) return least;
  const [width, height] = [bytes.readUInt32BE(16), bytes.readUInt32BE(20)];
  if (width * height > 64e6) return least;
  const bits = bytes[24] * ([1, 0, 3, 1, 2, 0, 4][bytes[25]] ?? 0);
  // Adam7 has about twice as many lines, each with its filter byte and a rest of a byte at its end.
  const lines = 2 * height + 8;
  const scanlines = lines * (2 + Math.ceil((width * bits) / 8));
  return least + 3 * Math.min(scanlines, 1032 * bytes.length) + 24 * width * height;
}
