// TypeScript: projects that use every entry, checked with the package's declarations (`skipLibCheck: false`).
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { once, project, run, versionOf } from './project.mjs';

const newest = once(() => project('types/consumer'));

/** Compilers, by the project that has them: Node's newest types are not for the oldest. */
const COMPILERS = {
  'typescript-5.4': once(() => project('types/consumer', 'types/consumer-5.4')),
  'typescript-5.9': newest,
  typescript: newest,
};

/** What a project has of types, with the files that need them. */
const LIBRARIES = [
  { lib: ['ES2022'], types: [], files: ['portable.ts'] },
  { lib: ['ES2022'], types: ['node'], files: ['portable.ts', 'node.ts'] },
  { lib: ['ES2022', 'DOM'], types: [], files: ['portable.ts', 'browser.ts'] },
];

const RESOLUTIONS = {
  node16: { module: 'node16', moduleResolution: 'node16' },
  nodenext: { module: 'nodenext', moduleResolution: 'nodenext' },
  bundler: { module: 'esnext', moduleResolution: 'bundler' },
};

const STRICT = {
  target: 'ES2022',
  strict: true,
  noEmit: true,
  skipLibCheck: false,
  exactOptionalPropertyTypes: true,
};

async function check(folder, compiler, options, files) {
  const config = { compilerOptions: { ...STRICT, ...options }, files };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
  await run(folder, `node node_modules/${compiler}/bin/tsc -p .`);
}

export const cells = Object.entries(COMPILERS).flatMap(([compiler, consumer]) =>
  Object.entries(RESOLUTIONS).map(([name, resolution]) => ({
    name: `TypeScript ${compiler.split('-')[1] ?? 'newest'}, ${name}`,
    run: async () => {
      const folder = await consumer();
      for (const { lib, types, files } of LIBRARIES) {
        // Bundlers take the portable entry, which has no files.
        const taken = name === 'bundler' ? files.filter((file) => file !== 'node.ts') : files;
        await check(folder, compiler, { ...resolution, lib, types }, taken);
      }
      const remark =
        "`skipLibCheck: false`, `exactOptionalPropertyTypes`; lib ES2022 alone, with Node's types, with the DOM";
      return { version: versionOf(folder, compiler), result: 'works', remark };
    },
  })),
);
