import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join, posix, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { BUILD_NAMES } from '../dist/bindings/host.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const json = (file: string) => JSON.parse(readFileSync(join(ROOT, file), 'utf8'));
const MANIFEST = json('package.json');
const LICENCES = readFileSync(join(ROOT, 'dist/vendor/LICENSES.txt'), 'utf8');

interface Packed {
  size: number;
  unpackedSize: number;
  files: { path: string }[];
}

/** What `npm publish` would send, without its being built anew. */
async function packed(): Promise<Packed> {
  const args = ['pack', '--dry-run', '--json', '--ignore-scripts'];
  const { stdout } = await promisify(execFile)('npm', args, { cwd: ROOT });
  return JSON.parse(stdout)[0];
}

/** The files that a part of the manifest names, at any depth. */
function filesOf(entry: unknown): string[] {
  return typeof entry === 'string' ? [entry] : Object.values(entry as object).flatMap(filesOf);
}

/** What a source is compiled to. */
const ENDS = ['.js', '.d.ts', '.d.ts.map'];

/** The files in dist/ that a folder of TypeScript is compiled to. */
function compiled(folder: string, target: string): string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && /(?<!\.d)\.ts$/.test(entry.name))
    .map((entry) => relative(join(ROOT, folder), join(entry.parentPath, entry.name)).split(sep).join('/'))
    .flatMap((file) => ENDS.map((end) => posix.join(target, file.replace(/\.ts$/, end))));
}

describe('the package', async () => {
  const { files, size, unpackedSize } = await packed();
  const paths = files.map(({ path }) => path);
  const below = (folder: string) => paths.filter((path) => path.startsWith(folder)).sort();

  it('has these entries at its top, and no others', () => {
    expect([...new Set(paths.map((path) => path.split('/')[0]))].sort()).toEqual([
      'CHANGELOG.md',
      'DECISIONS.md',
      'LICENSE',
      'README.md',
      'SECURITY.md',
      'bindings',
      'build',
      'dist',
      'docs',
      'examples',
      'package.json',
      'src',
    ]);
  });

  it('has what its pages lead to', () => {
    const pages = paths.filter((path) => /^(README\.md|docs\/.*\.md|examples\/.*\.md)$/.test(path));
    expect(pages.length).toBeGreaterThan(12);
    for (const page of pages) {
      for (const [, target] of readFileSync(join(ROOT, page), 'utf8').matchAll(
        /\]\((?!https?:|#)([^)#\s]+)/g,
      )) {
        const path = posix.join(posix.dirname(page), target!);
        const isThere = paths.includes(path) || paths.some((other) => other.startsWith(`${path}/`));
        expect(isThere, `${page} leads to ${path}`).toBe(true);
      }
    }
  });

  it('has every build of the core', () => {
    expect(below('build/')).toEqual(BUILD_NAMES.map((name) => `build/${name}.wasm`).sort());
  });

  it('has what the sources are compiled to, and nothing that is left over from others', () => {
    const single = ['inline', 'bundle'].flatMap((name) => [`dist/${name}.js`, `dist/${name}.d.ts`]);
    expect(below('dist/').filter((path) => !path.startsWith('dist/vendor/'))).toEqual(
      [...compiled('src', 'dist'), ...compiled('bindings', 'dist/bindings'), ...single].sort(),
    );
  });

  it('has every file that its manifest names', () => {
    const named = [MANIFEST.bin, MANIFEST.imports, MANIFEST.exports]
      .flatMap((part) => Object.values(part))
      .flatMap(filesOf)
      .filter((file) => !file.includes('*'))
      .map((file) => posix.normalize(file));
    expect(named.length).toBeGreaterThan(8);
    expect(paths).toEqual(expect.arrayContaining(named));
    expect(readFileSync(join(ROOT, MANIFEST.bin.treadle), 'utf8')).toMatch(/^#!\/usr\/bin\/env node\n/);
  });

  it('is as small as docs/reliability.md says', () => {
    const [packedLimit, unpackedLimit] = /below ([\d,]+) bytes packed and ([\d,]+) unpacked/
      .exec(readFileSync(join(ROOT, 'docs/reliability.md'), 'utf8'))!
      .slice(1)
      .map((figure) => Number(figure.replaceAll(',', '')));
    expect(size).toBeLessThan(packedLimit!);
    expect(unpackedSize).toBeLessThan(unpackedLimit!);
  });

  it('has the source that every map leads to', () => {
    const maps = paths.filter((path) => path.endsWith('.map'));
    expect(maps.length).toBeGreaterThan(100);
    const sources = maps.flatMap((map) => {
      const { sources } = JSON.parse(readFileSync(join(ROOT, map), 'utf8')) as { sources: string[] };
      return sources.map((source) => posix.normalize(posix.join(posix.dirname(map), source)));
    });
    expect(sources.filter((source) => !paths.includes(source))).toEqual([]);
  });

  it('names its licence and ships it', () => {
    expect(MANIFEST.license).toBe('MIT');
    expect(readFileSync(join(ROOT, 'LICENSE'), 'utf8')).toContain(
      'Permission is hereby granted, free of charge',
    );
  });
});

/** What whoever trains by way of a queue installs by hand. */
const PEERS = ['@aws-sdk/client-s3', 'bullmq', 'ioredis'];

describe('nothing else is installed with the package', () => {
  it('as it has no dependencies', () => {
    for (const kind of ['dependencies', 'optionalDependencies', 'bundleDependencies'])
      expect(MANIFEST[kind]).toBeUndefined();
  });

  it('but what a queue needs, which is optional, and no part of dist/vendor', () => {
    expect(Object.keys(MANIFEST.peerDependencies).sort()).toEqual(PEERS);
    for (const name of PEERS) {
      expect(MANIFEST.peerDependenciesMeta[name]).toEqual({ optional: true });
      expect(MANIFEST.devDependencies).toHaveProperty([name]);
      expect(LICENCES).not.toMatch(new RegExp(`^${name} \\d`, 'm'));
    }
  });

  it('and runs: prepare runs in a checkout and before publishing only', () => {
    const install = /^(?:pre|post)?(?:install|prepare|prepack|pack|publish|prepublish|prepublishOnly)$/;
    expect(Object.keys(MANIFEST.scripts).filter((name) => install.test(name))).toEqual(['prepare']);
  });

  it('and what it has of others is not deprecated, has no install script, and is of one version', () => {
    const { packages } = json('package-lock.json');
    const bundled = [...LICENCES.matchAll(/^(@?[\w./-]+) (\d+\.\d+\.\d+\S*) \(.+\)$/gm)];
    expect(bundled.length).toBeGreaterThan(20);
    for (const [, name, version] of bundled) {
      const entry = packages[`node_modules/${name}`];
      expect(entry).toMatchObject({ version, integrity: expect.stringMatching(/^sha512-/) });
      expect(entry.hasInstallScript ?? entry.deprecated, name).toBeUndefined();
    }
    for (const [name, version] of Object.entries(MANIFEST.devDependencies)) {
      expect(`${name}@${version}`).toMatch(/@\d+\.\d+\.\d+$/);
    }
  });

  it('and the licence of each of them is shipped', () => {
    for (const name of [
      'echarts',
      'zrender',
      '@resvg/resvg-wasm',
      'dejavu-fonts-ttf',
      'valibot',
      'commander',
    ])
      expect(LICENCES).toMatch(new RegExp(`^${name} \\d`, 'm'));
    expect(LICENCES).toContain('Permission is hereby granted, free of charge');
    expect(LICENCES).toContain('Apache License');
  });
});

it('every import in the package leads to a file of the package, or is of a peer and made only when it is needed', async () => {
  const { files } = await packed();
  const paths = new Set(files.map(({ path }) => path));
  const wrong = [...paths]
    .filter((path) => /^dist\/(?!vendor\/).*\.js$/.test(path))
    .flatMap((path) =>
      [
        ...readFileSync(join(ROOT, path), 'utf8').matchAll(
          /(?:^import|^export|^\} from| from|\bimport\()\s*'([^'\n]+)'/gm,
        ),
      ]
        .filter(([whole, name]) => !(whole.startsWith('import(') && PEERS.includes(name!)))
        .map(([, name]) => name!)
        .filter((name) => !name.startsWith('node:'))
        .filter((name) => !paths.has(posix.join(posix.dirname(path), name)))
        .map((name) => `${path} imports ${name}`),
    );
  expect(wrong).toEqual([]);
});
