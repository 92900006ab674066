import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type Plugin, transformWithOxc } from 'vite';

/** Files that are too large to be fetched before anybody asks for them are kept once they were. */
const MOST_BYTES = 2 ** 21;

/** Writes sw.js beside the built page: the service worker, with the names of all files of the build in it. */
export function serviceWorker(source: string): Plugin {
  return {
    name: 'service-worker',
    apply: 'build',
    enforce: 'post',
    async generateBundle(_, bundle) {
      const hash = createHash('sha256');
      const files: string[] = [];
      for (const [name, file] of Object.entries(bundle).sort(([a], [b]) => (a < b ? -1 : 1))) {
        const content = file.type === 'chunk' ? file.code : file.source;
        hash.update(name).update(content);
        if (content.length <= MOST_BYTES) files.push(name);
      }
      const { code } = await transformWithOxc(readFileSync(source, 'utf8'), source);
      // Not every browser takes a service worker that is a module.
      const script = code.replace(/^export \{\s*\};?$/m, '');
      const head = `const FILES = ${JSON.stringify(files)};\nconst VERSION = '${hash.digest('hex').slice(0, 16)}';\n`;
      this.emitFile({ type: 'asset', fileName: 'sw.js', source: head + script });
    },
  };
}
