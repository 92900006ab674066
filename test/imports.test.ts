import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** Every TypeScript file below a folder, relative to the root. */
function sources(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)));
}

/** What a file imports: paths relative to the root for its own files, names for packages. */
function imports(file: string): string[] {
  const text = readFileSync(join(ROOT, file), 'utf8');
  return [...text.matchAll(/(?:from|import)\s*\(?\s*['"]([^'"]+)['"]/g)].map(([, name]) =>
    name!.startsWith('.') ? relative(ROOT, resolve(ROOT, dirname(file), name!)) : name!,
  );
}

function offenders(folder: string, allowed: (name: string) => boolean): string[] {
  return sources(folder).flatMap((file) =>
    imports(file)
      .filter((name) => !allowed(name))
      .map((name) => `${file} imports ${name}`),
  );
}

describe('imports go one way', () => {
  it('assembly imports nothing outside itself', () => {
    expect(sources('assembly').length).toBeGreaterThan(10);
    expect(offenders('assembly', (name) => name.startsWith('assembly/'))).toEqual([]);
  });

  it('bindings imports neither src nor Node, but for reading its own files', () => {
    const packages = ['@assemblyscript/loader', 'wasm-feature-detect', 'node:fs/promises'];
    expect(offenders('bindings', (name) => name.startsWith('bindings/') || packages.includes(name))).toEqual(
      [],
    );
  });

  it('src reaches the core through #bindings only', () => {
    const outside = (name: string) => /^(assembly|bindings|build|dist|test)\//.test(name);
    expect(offenders('src', (name) => !outside(name))).toEqual([]);
  });

  it('only the command line imports src/cli', () => {
    const cli = (name: string) => name.startsWith('src/cli');
    for (const folder of ['bench', 'data', 'metrics', 'model', 'orchestrate', 'report', 'train', 'weights']) {
      expect(offenders(`src/${folder}`, (name) => !cli(name))).toEqual([]);
    }
  });

  it('reports read logged results, never trainers', () => {
    const trainers = (name: string) => /^src\/(train|orchestrate)\//.test(name);
    expect(offenders('src/report', (name) => !trainers(name))).toEqual([]);
  });

  it('data, metrics and weights know nothing of training', () => {
    const training = (name: string) => /^src\/(train|orchestrate|report)\//.test(name);
    for (const folder of ['data', 'metrics', 'weights']) {
      expect(offenders(`src/${folder}`, (name) => !training(name))).toEqual([]);
    }
  });

  it('build flags are read in one SIMD file and one threading file', () => {
    const readers = sources('assembly').filter((file) =>
      readFileSync(join(ROOT, file), 'utf8').includes('ASC_FEATURE_'),
    );
    expect(readers).toEqual(['assembly/par/team.ts', 'assembly/simd/simd.ts']);
  });

  it('WebAssembly is named in bindings only', () => {
    const naming = sources('src').filter((file) =>
      /\bWebAssembly\.[A-Z]/.test(readFileSync(join(ROOT, file), 'utf8')),
    );
    expect(naming).toEqual([]);
  });
});
