// What is mended in libraries as they are built into dist/vendor, until they do it themselves. A text that is not found any
// more ends the build: the library has changed, and what it does is to be looked at again.

/** By package and file: why, what stands there (once), and what stands there instead. */
const MENDS = {
  'hyparquet/src/encoding.js': [
    // From a place that is no number the first byte is read, again and again.
    [
      'const startOffset = reader.offset\n',
      "const startOffset = reader.offset\n  if (!(startOffset <= reader.view.byteLength)) throw new Error('runs that lie elsewhere')\n",
    ],
    // A run may say that it has 2^30 values: they were written behind the array's end until there is no memory.
    [
      'for (let i = 0; i < count; i++) {\n    output[seen + i]',
      'for (let i = 0; i < count && seen + i < output.length; i++) {\n    output[seen + i]',
    ],
    // The count of packed values could overflow to a negative one, which was counted down for ever.
    [
      'let count = header >> 1 << 3 // values to read',
      'let count = Math.min((header >>> 1) * 8, output.length - seen)',
    ],
    // Room was made by what is said, not by what there is.
    [
      'const bytes = new Uint8Array(count * width)',
      "if (!(count * width <= reader.view.byteLength - reader.offset)) throw new Error('more values than there are')\n  const bytes = new Uint8Array(count * width)",
    ],
  ],
  'hyparquet/src/delta.js': [
    // Blocks of no values, or of fewer than none, were read for ever.
    [
      'const valuesPerMiniblock = blockSize / miniblockPerBlock\n  const { view } = reader',
      "const valuesPerMiniblock = blockSize / miniblockPerBlock\n  if (!(miniblockPerBlock > 0 && valuesPerMiniblock > 0)) throw new Error('blocks of no differences')\n  const { view } = reader",
    ],
    // As above: of the blocks of differences, and of the letters that a text shares with the one before.
    [
      'const bitWidths = new Uint8Array(miniblockPerBlock)',
      "if (!(miniblockPerBlock > 0 && miniblockPerBlock <= reader.view.byteLength - reader.offset)) throw new Error('more blocks of differences than there are')\n    const bitWidths = new Uint8Array(miniblockPerBlock)",
    ],
    [
      'output[i] = new Uint8Array(prefixData[i] + suffixData[i])',
      "if (!(i > 0 && prefixData[i] <= output[i - 1].length)) throw new Error('a text that shares more than there is')\n      output[i] = new Uint8Array(prefixData[i] + suffixData[i])",
    ],
  ],
  // Room was made by what a frame says, and a page could unpack to more than it says. Below: a hundred bytes could say that
  // they are thousands of copies, of up to 131,071 bytes each, all behind the end of a block.
  'hyparquet-compressors/src/compressors.js': [
    [
      'ZSTD: input => decompressZstd(input)',
      'ZSTD: (input, length) => decompressZstd(input, length + 2 ** 23)',
    ],
  ],
  'fzstd/esm/index.mjs': [
    ['var rzfh = function (dat, w) {', 'var rzfh = function (dat, w, most) {'],
    ['if (ws > 2145386496)', 'if (ws > 2145386496 || (fss || ws) > most)'],
    [
      'export function decompress(dat, buf) {\n    var bufs = [], nb = +!buf;',
      'export function decompress(dat, most) {\n    var buf, bufs = [], nb = 1;',
    ],
    ['var st = rzfh(dat, nb || buf);', 'var st = rzfh(dat, nb, most);'],
    [
      'for (var i = 0; i < ll; ++i) {',
      'if (!(spl + ll <= buf.length && oubt + ll + ml <= buf.length)) err(0);\n                for (var i = 0; i < ll; ++i) {',
    ],
    [
      'bufs.push(blk);\n                    ol += blk.length;',
      'bufs.push(blk);\n                    if ((ol += blk.length) > most) err(1);',
    ],
  ],
  // What a file makes it do is counted against a number that grows with the file (src/formats/hdf5.ts): whatever is read, copied
  // or made room for says what it costs to the bytes that it comes from. Compressed arrays, which Keras does not write, are refused.
  'jsfive/dist/esm/index.mjs': [
    [
      'let getter = this.getters[f];\n      let size',
      'buffer.spend?.(n);\n      let getter = this.getters[f];\n      let size',
    ],
    ['var data = new Array(data_size);', 'this.fh.spend(data_size);\n    var data = new Array(data_size);'],
    ['for (var ci = 0;', 'this.fh.spend(chunk_size);\n        for (var ci = 0;'],
    [
      'let max_depth = header.get("depth");',
      'let max_depth = header.get("depth");\n    this.fh.spend(max_depth);',
    ],
    ['var value = new Array(count);', 'this.fh.spend(count);\n    var value = new Array(count);'],
    ['return new Array(size);', 'this.fh.spend(size);\n      return new Array(size);'],
    [
      'let output = new Array(fullsize);',
      'this.fh.spend(fullsize);\n        let output = new Array(fullsize);',
    ],
    [
      'let vlen_data = gheap.objects.get(gheap_id.get("object_index"));',
      'let vlen_data = gheap.objects.get(gheap_id.get("object_index"));\n    this.fh.spend(vlen_data.byteLength);',
    ],
    [
      'return this.managed.slice(offset, offset + size);',
      'this.fh.spend(size);\n      return this.managed.slice(offset, offset + size);',
    ],
    [
      'let name_size = end - offset;',
      "if (end < 0) throw new Error('a name without an end');\n    let name_size = end - offset;",
    ],
    ['console.warn("Attribute " + name + " type not implemented, set to null.");', ''],
    ['[GZIP_DEFLATE_FILTER, zlib_decompress],', ''],
    ['return inflate_1(input_array).buffer;', 'return input_array.buffer;'],
    [/\/\/ node_modules\/pako\/[\s\S]*?(?=\/\/ esm\/filters\.js\n)/, ''],
    [
      'let num_filters = filter_pipeline.length;',
      "if (filter_pipeline.length > 0) throw new Error('compressed');\n    let num_filters = filter_pipeline.length;",
    ],
  ],
  'hyparquet/src/geoparquet.js': [
    // An element of -1 children was skipped back to itself, for ever.
    ['if (num_children) {', 'if (num_children > 0) {'],
  ],
  'hyparquet/src/thrift.js': [
    // As above: every element takes a byte at the least.
    [
      'const values = new Array(listSize)',
      "if (listSize < 0 || listSize > reader.view.byteLength - reader.offset) throw new Error('a list of more elements than there are')\n    const values = new Array(listSize)",
    ],
  ],
};

/** A plugin of the bundler that mends them. */
export const mends = {
  name: 'mends',
  transform(code, id) {
    const file = Object.keys(MENDS).find((name) =>
      id.replaceAll('\\', '/').endsWith(`/node_modules/${name}`),
    );
    if (file === undefined) return null;
    return MENDS[file].reduce((mended, [from, to]) => {
      if (mended.split(from).length !== 2) throw new Error(`scripts/mends.js: ${file} has changed.`);
      return mended.replace(from, () => to);
    }, code);
  },
};
