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

  it('bindings imports neither src nor Node', () => {
    const packages = ['@assemblyscript/loader', 'wasm-feature-detect'];
    expect(offenders('bindings', (name) => name.startsWith('bindings/') || packages.includes(name))).toEqual(
      [],
    );
  });

  it('src reaches the core through #bindings and #core only', () => {
    const outside = (name: string) => /^(assembly|bindings|build|dist|test)\//.test(name);
    expect(offenders('src', (name) => !outside(name))).toEqual([]);
  });

  // What each layer of src may import of the others, besides its own folder; see README's "How it is built".
  const LAYERS: Readonly<Record<string, readonly string[]>> = {
    strict: [],
    threads: [],
    data: ['strict'],
    metrics: ['strict', 'data'],
    train: ['strict', 'data', 'metrics', 'formats'],
    formats: ['strict', 'data', 'model', 'train'],
    model: ['strict', 'data', 'metrics', 'formats', 'threads', 'train'],
    worker: ['data', 'formats', 'model', 'threads', 'train'],
    node: ['strict', 'data', 'formats', 'model', 'create.js'],
    table: ['strict', 'data', 'metrics', 'train', 'formats', 'model', 'node', 'create.js'],
    tensorboard: ['formats', 'metrics', 'node', 'report', 'results', 'train'],
    'fashion-mnist': ['strict', 'data', 'node', 'results', 'metrics'],
    results: ['strict', 'data', 'metrics', 'model', 'train', 'fashion-mnist'],
    experiment: [
      ...[
        'strict',
        'data',
        'metrics',
        'model',
        'train',
        'formats',
        'node',
        'fashion-mnist',
        'results',
        'report',
        'tensorboard',
      ],
    ],
    report: ['strict', 'data', 'metrics', 'model', 'train', 'table', 'node', 'fashion-mnist', 'results'],
    queue: ['strict', 'data', 'model', 'train', 'formats', 'node', 'fashion-mnist', 'results', 'experiment'],
    bench: ['strict', 'data', 'model', 'train', 'fashion-mnist', 'experiment', 'results'],
  };

  it.each(Object.entries(LAYERS))('src/%s imports only what lies below it', (layer, below) => {
    const allowed = [layer, ...below].map((name) => (name.endsWith('.js') ? `src/${name}` : `src/${name}/`));
    expect(sources(`src/${layer}`).length).toBeGreaterThan(0);
    const own = (name: string) =>
      !name.startsWith('src/') || allowed.some((folder) => name.startsWith(folder));
    expect(offenders(`src/${layer}`, own)).toEqual([]);
  });

  it('names every folder of src', () => {
    const folders = readdirSync(join(ROOT, 'src'), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name);
    expect(folders.sort()).toEqual([...Object.keys(LAYERS), 'cli'].sort());
  });

  it.each(['strict', 'data', 'metrics', 'threads', 'train', 'formats', 'model', 'worker'])(
    'src/%s runs without Node',
    (layer) => {
      expect(offenders(`src/${layer}`, (name) => !name.startsWith('node:'))).toEqual([]);
    },
  );

  it('nothing that the portable entry leads to is of Node, or of the application', () => {
    const reached = new Set<string>();
    const visit = (file: string): void => {
      if (reached.has(file)) return;
      reached.add(file);
      for (const name of imports(file)) {
        if (name === '#core') visit('bindings/index.ts');
        else if (name === '#bindings') visit('bindings/host.ts');
        else if (/^(src|bindings)\//.test(name)) visit(name.replace(/\.js$/, '.ts'));
        else reached.add(name);
      }
    };
    visit('src/index.ts');
    const foreign = [...reached].filter((name) => !/^(bindings|src)\//.test(name)).sort();
    expect(foreign).toEqual([
      ...['@assemblyscript/loader', '@bufbuild/protobuf/wire', 'fflate/browser', 'jsfive', 'valibot'],
      'wasm-feature-detect',
    ]);
    const folders = new Set([...reached].flatMap((name) => /^src\/([^/]+)\//.exec(name)?.[1] ?? []));
    for (const folder of ['node', 'fashion-mnist', 'results', 'experiment', 'report', 'bench', 'cli'])
      expect(folders).not.toContain(folder);
  });

  it('no line of assembly is longer than 120 characters', () => {
    const long = sources('assembly').filter((file) =>
      readFileSync(join(ROOT, file), 'utf8')
        .split('\n')
        .some((line) => line.length > 120),
    );
    expect(long).toEqual([]);
  });

  it('build flags are read in one SIMD file and one threading file', () => {
    const readers = sources('assembly').filter((file) =>
      readFileSync(join(ROOT, file), 'utf8').includes('ASC_FEATURE_'),
    );
    expect(readers).toEqual(['assembly/par/team.ts', 'assembly/simd/simd.ts']);
  });

  it('WebAssembly is named in bindings only, and where images are decoded', () => {
    const naming = sources('src').filter((file) =>
      /\bWebAssembly\.[A-Z]/.test(readFileSync(join(ROOT, file), 'utf8')),
    );
    expect(naming).toEqual(['src/node/turbojpeg.ts']);
  });
});
