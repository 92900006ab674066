import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { initWasm, Resvg } from '@resvg/resvg-wasm';

/** Pixels of the PNG for one of the SVG, in each direction. */
const SCALE = 2;

const FONT_FILES = ['DejaVuSans.ttf', 'DejaVuSans-Bold.ttf'];

let ready: Promise<Uint8Array[]> | undefined;

/** A PNG of an SVG at twice its size, with text in DejaVu Sans: the same bytes on every machine. */
export async function svgToPng(svg: string): Promise<Uint8Array> {
  ready ??= start();
  const image = new Resvg(svg, {
    fitTo: { mode: 'zoom', value: SCALE },
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
  const { resolve } = createRequire(import.meta.url);
  await initWasm(await readFile(resolve('@resvg/resvg-wasm/index_bg.wasm')));
  return Promise.all(FONT_FILES.map((name) => readFile(resolve(`dejavu-fonts-ttf/ttf/${name}`))));
}
