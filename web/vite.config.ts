import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';
import { TONES } from '../dist/report/charts.js';
import { fashionMnist } from './fashion-mnist/plugin.ts';
import { serviceWorker } from './service-worker/plugin.ts';

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** What lets a page share memory between threads. */
const ISOLATION = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

/** The page asks nobody but its own host for anything: that nothing leaves the machine is kept by the browser itself. */
const POLICY = [
  "default-src 'self'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data: blob:",
  "worker-src 'self'",
  "object-src 'none'",
  "base-uri 'none'",
].join('; ');

const variables = (form: 'light' | 'dark') =>
  Object.entries(TONES)
    .map(([role, tone]) => `--${role}:${tone[form]};`)
    .join('');

/** The report's colours, before anything is painted. */
const COLOURS = `:root{color-scheme:light dark;${variables('light')}}
@media (prefers-color-scheme:dark){:root{${variables('dark')}}}
@media print{:root{color-scheme:light;${variables('light')}}}`;

export default defineConfig(({ command }) => ({
  root: at('.'),
  base: './',
  publicDir: at('public'),
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  resolve: {
    alias: [
      { find: /^treadle$/, replacement: at('../dist/index.js') },
      { find: /^treadle\/charts$/, replacement: at('../dist/report/charts.js') },
      { find: /^treadle\/tables$/, replacement: at('../dist/table/index.js') },
    ],
  },
  server: { headers: ISOLATION, fs: { allow: [at('..')] } },
  preview: { headers: ISOLATION },
  worker: { format: 'es' },
  build: {
    outDir: at('../build/web'),
    emptyOutDir: true,
    // An address that holds its file is none that the page may ask for.
    assetsInlineLimit: 0,
    target: 'es2022',
    modulePreload: { polyfill: false },
  },
  plugins: [
    {
      name: 'head',
      transformIndexHtml: () => [
        ...(command === 'build'
          ? [
              {
                tag: 'meta',
                attrs: { 'http-equiv': 'Content-Security-Policy', content: POLICY },
                injectTo: 'head-prepend' as const,
              },
            ]
          : []),
        { tag: 'style', children: COLOURS, injectTo: 'head' as const },
      ],
    },
    fashionMnist(),
    serviceWorker(at('service-worker/worker.ts')),
  ],
}));
