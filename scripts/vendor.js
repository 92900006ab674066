// Makes dist/ stand alone: the libraries that it imports are bundled into dist/vendor, as far as they are used, and every
// import in dist/ leads to a file beside it. So the package has no dependencies, pages need no import map, and who embeds
// the library gets nothing of what only the command line needs. Runs after tsc.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants } from 'node:zlib';
import { rolldown } from 'rolldown';
import { mends } from './mends.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const DIST = join(ROOT, 'dist');
const VENDOR = join(DIST, 'vendor');

/** Files that are read, not imported, with the libraries that they come from; kept as Brotli makes them, a third as large. */
const FILES = {
  'resvg.wasm': '@resvg/resvg-wasm/index_bg.wasm',
  'jpeg-turbo.wasm': '@cwasm/jpeg-turbo/jpeg-turbo.wasm',
  'DejaVuSans.ttf': 'dejavu-fonts-ttf/ttf/DejaVuSans.ttf',
  'DejaVuSans-Bold.ttf': 'dejavu-fonts-ttf/ttf/DejaVuSans-Bold.ttf',
};

/** Licences of what is built into a package that does not carry them. */
const INNER_LICENCES = { '@cwasm/jpeg-turbo': 'scripts/licences/libjpeg-turbo.txt' };

/** The project's own short names of modules. */
const { imports: IMPORTS } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));

/** What the portable library imports: nothing of Node may be in it. */
const PORTABLE = [
  '@assemblyscript/loader',
  'hyparquet',
  'hyparquet-compressors',
  'papaparse',
  '@bufbuild/protobuf/wire',
  'fflate/browser',
  'jsfive',
  'valibot',
  'wasm-feature-detect',
];

/** An import or export of a module that is no path, at the beginning of a line, where no comment is: its names, and the module. */
const BARE = /^(import|export)(\s+type)?\s+([\w$*{},\s]*?)\s*from\s*'([^'.][^']*)'/gm;

/** The highest quality takes ten times as long for a tenth less. */
const BROTLI = { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } };

const isForeign = (name) => !name.startsWith('node:') && !name.startsWith('#');

/** Every file of dist/ that ends so, but for what this script has written. */
function outputs(end) {
  return readdirSync(DIST, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(end))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => !file.startsWith(VENDOR + sep));
}

/** `echarts/core` as a file's name. */
const fileName = (name) => `${name.replace(/^@/, '').replaceAll('/', '-')}.js`;

/** What is imported of each library: names, and `default` among them. */
function importsOf(files) {
  const found = new Map();
  for (const file of files) {
    const code = readFileSync(file, 'utf8');
    for (const [, , , what, name] of code.matchAll(BARE)) {
      if (!isForeign(name)) continue;
      const names = found.get(name) ?? new Set();
      found.set(name, names);
      const [, space] = /^\*\s+as\s+([\w$]+)$/.exec(what) ?? [];
      if (space !== undefined) {
        for (const [, member] of code.matchAll(new RegExp(`\\b${space}\\.([\\w$]+)`, 'g'))) names.add(member);
        continue;
      }
      const [, only] = /^([\w$]+)/.exec(what) ?? [];
      if (only !== undefined) names.add('default');
      for (const [, member] of (/\{(.*)\}/s.exec(what)?.[1] ?? '').matchAll(
        /([\w$]+)(?:\s+as\s+[\w$]+)?\s*(?:,|$)/g,
      )) {
        names.add(member);
      }
    }
  }
  return found;
}

/** Bundles what is used of one package's modules, what they share in files of its own. Returns the packages in it. */
async function bundle(libraries) {
  const isPortable = libraries.every(([name]) => PORTABLE.includes(name));
  const entries = new Map(
    libraries.map(([name, names]) => [
      `\0${fileName(name)}`,
      `export { ${[...names].sort().join(', ')} } from '${name}';`,
    ]),
  );
  const build = await rolldown({
    input: Object.fromEntries([...entries.keys()].map((id) => [id.slice(1, -'.js'.length), id])),
    platform: isPortable ? 'browser' : 'node',
    // papaparse leaves its Node streams out where this is defined; echarts, what asks for Node's globals in a browser.
    transform: { define: { PAPA_BROWSER_CONTEXT: 'true', 'process.env.NODE_ENV': "'production'" } },
    treeshake: {
      moduleSideEffects: (id) => !/[\\/]node_modules[\\/](valibot|echarts|zrender)[\\/]/.test(id),
    },
    plugins: [
      mends,
      {
        name: 'entries',
        resolveId: (id, from) =>
          entries.has(id) ? id : from !== undefined && entries.has(from) ? { id: resolvePackage(id) } : null,
        load: (id) => entries.get(id),
      },
    ],
  });
  const { output } = await build.write({
    dir: VENDOR,
    format: 'esm',
    minify: true,
    entryFileNames: '[name].js',
    chunkFileNames: `${fileName(packageOf(`node_modules/${libraries[0][0]}`)).replace(/\.js$/, '')}-shared-[name].js`,
    comments: false,
  });
  await build.close();
  const modules = output.flatMap((chunk) => Object.keys(chunk.modules ?? {}));
  return packagesOf(modules);
}

function resolvePackage(name) {
  return fileURLToPath(import.meta.resolve(name));
}

const packageOf = (path) => /^(?:.*[\\/])?node_modules[\\/]((?:@[^\\/]+[\\/])?[^\\/]+)/.exec(path)?.[1];

function packagesOf(paths) {
  return [...new Set(paths.map(packageOf).filter((name) => name !== undefined))].sort();
}

/** The licences of packages, in full. */
function licencesOf(packages) {
  return packages.map((name) => {
    const folder = join(ROOT, 'node_modules', name);
    const { version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    const texts = readdirSync(folder, { withFileTypes: true, recursive: true })
      .filter(
        (entry) =>
          entry.isFile() &&
          /^(licen[cs]e|copying|notice)/i.test(relative(folder, join(entry.parentPath, entry.name))),
      )
      .map((entry) => join(entry.parentPath, entry.name))
      .concat(name in INNER_LICENCES ? [join(ROOT, INNER_LICENCES[name])] : [])
      .map((file) => readFileSync(file, 'utf8').trim());
    return `${name} ${version} (${license})\n\n${texts.join('\n\n')}\n`;
  });
}

/** Lets the imports of a file lead to files beside it. */
function relink(file) {
  const to = (target) => {
    const path = relative(dirname(file), target).split(sep).join('/');
    return path.startsWith('.') ? path : `./${path}`;
  };
  const code = readFileSync(file, 'utf8');
  const linked = code
    .replaceAll(
      /(from\s*|import\s*\(?\s*)'(#\w+)'/g,
      (_, before, name) => `${before}'${to(join(ROOT, IMPORTS[name]))}'`,
    )
    .replaceAll(BARE, (whole, ...[, , , name]) =>
      isForeign(name) && file.endsWith('.js')
        ? whole.replace(`'${name}'`, `'${to(join(VENDOR, fileName(name)))}'`)
        : whole,
    );
  if (linked !== code) writeFileSync(file, linked);
}

rmSync(VENDOR, { recursive: true, force: true });
mkdirSync(VENDOR);
const code = outputs('.js');
const libraries = importsOf(code);
// Where tsc has written a few files anew, the others lead to dist/vendor already: all sources are compiled for this.
const owner = (name) => packageOf(`node_modules/${name}`);
const groups = [...new Set([...libraries.keys()].map(owner))].map((name) =>
  [...libraries].filter(([library]) => owner(library) === name),
);
const packages = (await Promise.all(groups.map(bundle))).flat();
for (const [name, source] of Object.entries(FILES)) {
  const bytes = readFileSync(join(ROOT, 'node_modules', source));
  writeFileSync(join(VENDOR, `${name}.br`), brotliCompressSync(bytes, BROTLI));
}
const all = [
  ...new Set([...packages, ...packagesOf(Object.values(FILES).map((file) => `node_modules/${file}`))]),
].sort();
writeFileSync(join(VENDOR, 'LICENSES.txt'), licencesOf(all).join(`\n${'-'.repeat(80)}\n\n`));
for (const file of [...code, ...outputs('.d.ts')]) relink(file);
