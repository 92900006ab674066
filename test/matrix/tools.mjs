// What tests and checks packages.
import { project, run, tarball, versionOf } from './project.mjs';

/** Runs a command of a tool's project; what it prints is in the error where it fails. */
function cell(name, tool, folders, command, remark) {
  return {
    name,
    run: async () => {
      const folder = await project(...folders);
      const version = versionOf(folder, tool);
      await run(folder, command, { env: { TARBALL: await tarball() } }).catch((error) => {
        throw Object.assign(error, { version });
      });
      return { version, result: 'works', remark };
    },
  };
}

export const cells = [
  {
    name: 'Jest, CommonJS',
    run: async () => {
      const folder = await project('tools/jest');
      const printed = await run(folder, 'npm test').catch((error) => error.message);
      if (!printed.includes('Must use import to load ES Module')) throw new Error(printed);
      const remark = "Jest's own `require` takes no ES modules: set `NODE_OPTIONS=--experimental-vm-modules`";
      return { version: versionOf(folder, 'jest'), result: 'needs ES modules', remark };
    },
  },
  cell(
    'Jest, ES modules',
    'jest',
    ['tools/jest-modules'],
    'npm test',
    '`NODE_OPTIONS=--experimental-vm-modules`',
  ),
  cell(
    'Jest, ES modules, jsdom',
    'jest',
    ['tools/jest-modules'],
    'npm test -- --env jsdom',
    '`testEnvironment: jsdom`',
  ),
  cell('Vitest 5', 'vitest', ['tools/xor', 'tools/vitest'], 'npm test', 'none'),
  cell('Vitest 4', 'vitest', ['tools/xor', 'tools/vitest-4'], 'npm test', 'none'),
  cell(
    'tsx',
    'tsx',
    ['tools/tsx'],
    'npx tsx xor.ts && npx tsx commonjs/xor.ts',
    'none; ES modules and CommonJS',
  ),
  cell('publint', 'publint', ['tools/lint'], 'npx publint --strict node_modules/treadle', 'no findings'),
  cell(
    'arethetypeswrong',
    '@arethetypeswrong/cli',
    ['tools/lint'],
    'npx attw $TARBALL --profile node16 --ignore-rules cjs-resolves-to-esm',
    '`moduleResolution: node10` is not served, and CommonJS gets ES modules',
  ),
];
