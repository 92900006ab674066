// What tests and checks packages.
import { project, run, versionOf } from './project.mjs';

/** Runs a command of a tool's project; what it prints is in the error where it fails. */
function cell(name, tool, folders, command, remark) {
  return {
    name,
    run: async () => {
      const folder = await project(...folders);
      const version = versionOf(folder, tool);
      await run(folder, command).catch((error) => {
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
  cell('Vitest', 'vitest', ['tools/vitest'], 'npm test', 'none'),
  cell('Vitest 4', 'vitest-4', ['tools/vitest'], 'node node_modules/vitest-4/vitest.mjs run', 'none'),
  cell('tsx', 'tsx', ['tools/tsx'], 'npx tsx xor.ts && npx tsx xor.cts', 'none; ES modules and CommonJS'),
  cell('publint', 'publint', ['tools/lint'], 'npx publint --strict node_modules/treadle', 'no findings'),
  cell(
    'arethetypeswrong',
    '@arethetypeswrong/cli',
    ['tools/lint'],
    'npm pack ./node_modules/treadle --silent && npx attw treadle-*.tgz --profile node16 --ignore-rules cjs-resolves-to-esm --exclude-entrypoints package.json',
    '`moduleResolution: node10` is not served, and CommonJS gets ES modules',
  ),
];
