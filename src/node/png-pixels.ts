import { luma } from '../data/resize.js';

/** What a PNG's header says. */
export interface PngHeader {
  width: number;
  height: number;
  /** Bits per sample. */
  depth: number;
  colorType: number;
  interlaced: boolean;
}

/** What a PNG says of colours: the contents of PLTE and tRNS, and the grey behind what is transparent. */
export interface PngColours {
  palette: Uint8Array | undefined;
  transparency: Uint8Array | undefined;
  background: number;
}

/** PNG's colour types: samples of a pixel, and the bit depths that the specification allows. */
const GREY = 0;
const PALETTE = 3;
export const COLOUR_TYPES: Readonly<Record<number, { channels: number; depths: readonly number[] }>> = {
  [GREY]: { channels: 1, depths: [1, 2, 4, 8, 16] },
  2: { channels: 3, depths: [8, 16] },
  [PALETTE]: { channels: 1, depths: [1, 2, 4, 8] },
  4: { channels: 2, depths: [8, 16] },
  6: { channels: 4, depths: [8, 16] },
};

/** First column and row, and column and row steps, of the one pass of a plain image and of Adam7's seven. */
const PLAIN = [[0, 0, 1, 1]] as const;
const ADAM7 = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const;

/** A part of an image: every so manieth column and row; its lines have `bytes` bytes behind their filter's. */
interface Pass {
  x: number;
  y: number;
  xStep: number;
  yStep: number;
  columns: number;
  rows: number;
  bytes: number;
}

/** The passes of an image that have pixels. */
function passesOf(header: PngHeader): Pass[] {
  return (header.interlaced ? ADAM7 : PLAIN)
    .map(([x, y, xStep, yStep]) => {
      const columns = Math.max(0, Math.ceil((header.width - x) / xStep));
      const rows = Math.max(0, Math.ceil((header.height - y) / yStep));
      return { x, y, xStep, yStep, columns, rows, bytes: Math.ceil((columns * pixelBits(header)) / 8) };
    })
    .filter(({ columns, rows }) => columns > 0 && rows > 0);
}

function pixelBits({ depth, colorType }: PngHeader): number {
  return COLOUR_TYPES[colorType]!.channels * depth;
}

/** Bytes of the filtered scanlines: one filter byte and the packed samples for each line of each pass. */
export function scanlineBytes(header: PngHeader): number {
  return passesOf(header).reduce((sum, { rows, bytes }) => sum + rows * (1 + bytes), 0);
}

/**
 * The grey pixels, of shape (height, width), of an image's filtered scanlines, which are changed in place. Throws a
 * plain Error for an unknown filter and for a pixel that the palette does not have.
 */
export function greyPixels(header: PngHeader, scanlines: Uint8Array, colours: PngColours): Float32Array {
  const pixels = new Float32Array(header.width * header.height);
  const greyAt = greyReader(header, scanlines, colours);
  const pixelBytes = Math.max(1, pixelBits(header) / 8);
  let line = 0;
  for (const { x, y, xStep, yStep, columns, rows, bytes } of passesOf(header)) {
    for (let row = 0; row < rows; row++) {
      unfilter(scanlines, line, bytes, pixelBytes, row > 0);
      const first = (y + row * yStep) * header.width + x;
      for (let column = 0; column < columns; column++) {
        pixels[first + column * xStep] = greyAt(line + 1, column);
      }
      line += 1 + bytes;
    }
  }
  return pixels;
}

/** Undoes the filter of the line whose filter byte is at `line`; the line above, if any, is there already. */
function unfilter(
  data: Uint8Array,
  line: number,
  bytes: number,
  pixelBytes: number,
  hasAbove: boolean,
): void {
  const filter = data[line]!;
  if (filter > 4) throw new Error(`the unknown filter ${filter}`);
  if (filter === 0) return;
  const above = line - 1 - bytes;
  for (let index = 1; index <= bytes; index++) {
    const hasLeft = index > pixelBytes;
    const left = hasLeft ? data[line + index - pixelBytes]! : 0;
    const up = hasAbove ? data[above + index]! : 0;
    const corner = hasLeft && hasAbove ? data[above + index - pixelBytes]! : 0;
    data[line + index]! += predicted(filter, left, up, corner);
  }
}

/** What the filters 1 to 4 (Sub, Up, Average, Paeth) take a byte to be by its neighbours. */
function predicted(filter: number, left: number, up: number, corner: number): number {
  if (filter === 1) return left;
  if (filter === 2) return up;
  if (filter === 3) return (left + up) >> 1;
  const byLeft = Math.abs(up - corner);
  const byUp = Math.abs(left - corner);
  const byCorner = Math.abs(left + up - 2 * corner);
  if (byLeft <= byUp && byLeft <= byCorner) return left;
  return byUp <= byCorner ? up : corner;
}

/** The grey value (0 to 255) of a line's pixel, by where the line's samples begin and by its column. */
function greyReader(
  { depth, colorType }: PngHeader,
  data: Uint8Array,
  { palette, transparency, background }: PngColours,
): (line: number, column: number) => number {
  const { channels } = COLOUR_TYPES[colorType]!;
  const sample = sampleReader(data, depth);
  const most = 2 ** depth - 1;
  const over = (grey: number, alpha: number) => grey * alpha + background * (1 - alpha);
  if (colorType === PALETTE) {
    const greys = paletteGreys(palette, transparency, over);
    return (line, column) => {
      const grey = greys[sample(line, column)];
      if (grey === undefined) throw new Error('a pixel outside the palette');
      return grey;
    };
  }
  const hasColour = channels >= 3;
  const key = colourKey(transparency, hasColour ? 3 : 1, most);
  return (line, column) => {
    const first = column * channels;
    const red = sample(line, first);
    const green = hasColour ? sample(line, first + 1) : red;
    const blue = hasColour ? sample(line, first + 2) : red;
    const grey = ((hasColour ? luma(red, green, blue) : red) * 255) / most;
    if (channels % 2 === 0) return over(grey, sample(line, first + channels - 1) / most);
    if (key === undefined || red !== key[0] || (hasColour && (green !== key[1] || blue !== key[2])))
      return grey;
    return background;
  };
}

/** Reads a sample by where its line begins; below 8 bits they are packed from the highest bit of each byte. */
function sampleReader(data: Uint8Array, depth: number): (line: number, index: number) => number {
  if (depth === 8) return (line, index) => data[line + index]!;
  if (depth === 16) return (line, index) => data[line + 2 * index]! * 256 + data[line + 2 * index + 1]!;
  return (line, index) => {
    const bit = index * depth;
    return (data[line + (bit >> 3)]! >> (8 - depth - (bit & 7))) & (2 ** depth - 1);
  };
}

/** The greys of a palette's colours, three bytes each; transparency is a byte for each of the first. */
function paletteGreys(
  palette: Uint8Array = new Uint8Array(0),
  transparency: Uint8Array = new Uint8Array(0),
  over: (grey: number, alpha: number) => number,
): number[] {
  return Array.from({ length: palette.length / 3 }, (_, entry) => {
    const [red, green, blue] = palette.subarray(3 * entry, 3 * entry + 3);
    return over(luma(red!, green!, blue!), (transparency[entry] ?? 255) / 255);
  });
}

/** The samples of the one transparent colour, two bytes each; none where they are of another number. */
function colourKey(
  transparency: Uint8Array | undefined,
  count: number,
  most: number,
): readonly number[] | undefined {
  if (transparency?.length !== 2 * count) return undefined;
  return Array.from(
    { length: count },
    (_, index) => (transparency[2 * index]! * 256 + transparency[2 * index + 1]!) & most,
  );
}
