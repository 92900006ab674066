import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { brotliDecompress } from 'node:zlib';
import { initWasm, Resvg } from '@resvg/resvg-wasm';
import { type Chart, PIXELATED } from './svg.js';

/** A PNG that would have more pixels at twice the chart's size has the chart's size. */
const MOST_PIXELS = 4_000_000;

const FONT_FILES = ['DejaVuSans.ttf', 'DejaVuSans-Bold.ttf'];

let ready: Promise<Uint8Array[]> | undefined;

/**
 * A PNG of a chart at twice its size, or at its own where it is large; text is in DejaVu Sans: the same bytes on
 * every machine.
 */
export async function svgToPng({ svg, width, height }: Chart): Promise<Uint8Array> {
  ready ??= start();
  // The renderer knows the older value alone.
  const image = new Resvg(svg.replaceAll(PIXELATED, 'image-rendering="optimizeSpeed"'), {
    fitTo: { mode: 'zoom', value: 4 * width * height <= MOST_PIXELS ? 2 : 1 },
    font: { fontBuffers: await ready, defaultFontFamily: 'DejaVu Sans', sansSerifFamily: 'DejaVu Sans' },
  });
  try {
    const rendered = image.render();
    try {
      return rendered.asPng();
    } finally {
      rendered.free();
    }
  } finally {
    image.free();
  }
}

/** Starts the renderer, once in a process, and reads the fonts. */
async function start(): Promise<Uint8Array[]> {
  const read = async (name: string) =>
    promisify(brotliDecompress)(await readFile(new URL(`../vendor/${name}.br`, import.meta.url)));
  await initWasm(await read('resvg.wasm'));
  return Promise.all(FONT_FILES.map(read));
}
