/// <reference types="vite/client" />

/** Made by fashion-mnist/plugin.ts of what the library's own run is set up with. */
declare module 'virtual:fashion-mnist' {
  export const ARCHITECTURES: Readonly<Record<string, { readonly hidden: readonly number[] }>>;
  export const CLASSES: readonly string[];
  export const DEFAULTS: { readonly dropout: number; readonly batchSize: number; readonly epochs: number };
}
