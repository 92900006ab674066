import { availableParallelism, cpus } from 'node:os';
import type { Command } from 'commander';
import { describeKernels, detectFeatures, type EngineFeatures, measurePeak } from '#bindings';
import { openCore } from '../core.js';
import { addBuildOption, addJsonOption } from '../options.js';
import { plainTable } from '../table.js';

export function add(program: Command): void {
  const command = program
    .command('doctor')
    .description('show what this machine and engine can do, and how fast the numeric core is on it');
  addBuildOption(command);
  addJsonOption(command, 'the findings')
    .addHelpText('after', '\nExample:\n  treadle doctor --build simd')
    .action(async (options: { build: string; json: boolean }) => {
      const core = await openCore(options.build);
      const features = await detectFeatures();
      const findings = {
        node: process.versions.node,
        v8: process.versions.v8,
        cpu: cpus()[0]?.model.trim() ?? 'unknown',
        cores: availableParallelism(),
        features,
        build: core.build,
        why: reasonFor(options.build, features),
        kernels: describeKernels(core.kernels),
        kernelsForced: core.kernelsForced,
        revectorized: core.revectorized,
        ...measurePeak(core),
      };
      process.stdout.write(options.json ? `${JSON.stringify(findings)}\n` : describe(findings));
    });
}

/** Why the build was taken, in words. */
export function reasonFor(asked: string, features: EngineFeatures): string {
  const threads = features.threads ? 'threads' : 'no threads';
  if (asked === 'strict') return `the fastest without relaxed operations, as the engine has ${threads}`;
  if (asked !== 'auto') return 'asked for by --build';
  if (process.env.TREADLE_BUILD) return 'asked for by TREADLE_BUILD';
  const simd = features.relaxedSimd ? 'relaxed SIMD' : 'SIMD without the relaxed instructions';
  return `the engine has ${simd} and ${threads}`;
}

type Findings = ReturnType<typeof measurePeak> & {
  node: string;
  v8: string;
  cpu: string;
  cores: number;
  features: EngineFeatures;
  build: string;
  why: string;
  kernels: string;
  kernelsForced: boolean;
  revectorized: boolean;
};

function describe(findings: Findings): string {
  const { node, v8, cpu, cores, features, build, why, peakGflops, gemm } = findings;
  const { kernels, kernelsForced, revectorized } = findings;
  const yesNo = (has: boolean): string => (has ? 'yes' : 'no');
  const rows = gemm.map(({ form, m, n, k, gflops, peakFraction }) => [
    form,
    `${m} x ${n} x ${k}`,
    gflops.toFixed(1),
    `${(100 * peakFraction).toFixed(0)} %`,
  ]);
  return [
    `engine    Node ${node}, V8 ${v8}`,
    `processor ${cpu}, ${cores} cores`,
    `features  SIMD ${yesNo(features.simd)}, relaxed SIMD ${yesNo(features.relaxedSimd)}, threads ${yesNo(features.threads)}`,
    `build     ${build}: ${why}`,
    `kernels   ${kernels}: ${kernelsForced ? 'asked for by TREADLE_KERNELS' : 'the fastest here'}, ${revectorized ? '256' : '128'} bits wide`,
    `peak      ${peakGflops.toFixed(1)} GFLOP/s, 128-bit multiply-add on one core`,
    '',
    plainTable(['GEMM', 'M x N x K', 'GFLOP/s', 'of peak'], rows, 2),
    '',
  ].join('\n');
}
