import { mkdirSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import type { RunnerTask, RunnerTestSuite } from 'vitest';
import {
  experimental_getRunnerTask,
  type Reporter,
  type SerializedError,
  type TestModule,
} from 'vitest/node';
import { plainTable } from '../../dist/cli/table.js';
import type { BenchMachine } from './setup.js';

/** Where the figures are left, from the folder that the command ran in. */
const FOLDER = 'build';
const FILE = `${FOLDER}/bench.json`;

/** One bench's figures. */
interface Figure {
  name: string;
  /** Median time of one call. */
  milliseconds: number;
  calls: number;
  gflops: number;
  /** Share of the measured 128-bit peak of the threads in use. Zeros that are left out count, so that it may be above 1. */
  peakFraction: number;
}

interface Group {
  file: string;
  title: string;
  machine: BenchMachine;
  threads: number;
  figures: Figure[];
}

/** Prints a table for each group of benches and writes all figures to build/bench.json. */
export default class BenchTables implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly SerializedError[]): void {
    const groups = modules.flatMap((module) => {
      const { tasks, result } = experimental_getRunnerTask(module);
      for (const { stack, message } of [...(result?.errors ?? []), ...errors])
        console.error(stack ?? message);
      const suites = tasks.filter((task): task is RunnerTestSuite => task.type === 'suite');
      return suites.map((suite) => describeGroup(basename(module.moduleId), suite));
    });
    if (groups.length === 0) return;
    for (const group of groups) console.log(`${groupText(group)}\n`);
    mkdirSync(FOLDER, { recursive: true });
    writeFileSync(FILE, `${JSON.stringify({ groups }, null, 2)}\n`);
    console.log(`The figures are in ${FILE}.`);
  }
}

function describeGroup(file: string, { name: title, meta, tasks }: RunnerTestSuite): Group {
  const { machine, threads = 1, work } = meta.group!;
  const peakGflops = threads * machine.peakGflops;
  const figures = tasks.flatMap((task) => figureOf(task, work, peakGflops));
  return { file, title, machine, threads, figures };
}

/** The figures of a bench, or none when it failed. */
function figureOf({ name, result }: RunnerTask, work: Record<string, number>, peakGflops: number): Figure[] {
  for (const { stack, message } of result?.errors ?? []) console.error(`${name}: ${stack ?? message}`);
  const measured = result?.benchmark;
  if (measured === undefined || !(measured.median > 0)) return [];
  const gflops = work[name]! / measured.median / 1e6;
  const { median: milliseconds, sampleCount: calls } = measured;
  return [{ name, milliseconds, calls, gflops, peakFraction: gflops / peakGflops }];
}

function groupText({ title, machine, threads, figures }: Group): string {
  const { node, v8, build, kernels, revectorized, peakGflops } = machine;
  const rows = figures.map(({ name, milliseconds, calls, gflops, peakFraction }) => [
    name,
    milliseconds.toFixed(4),
    String(calls),
    gflops.toFixed(1),
    `${(100 * peakFraction).toFixed(0)} %`,
  ]);
  const bits = revectorized ? '256' : '128';
  const peak = `${threads === 1 ? '' : `${threads} x `}${peakGflops.toFixed(1)} GFLOP/s`;
  return [
    title,
    `${machine.machine}; Node ${node}, V8 ${v8}; ${build}, ${kernels}, ${bits} bits; peak ${peak}`,
    plainTable(['', 'ms', 'calls', 'GFLOP/s', 'of peak'], rows, 1),
  ].join('\n');
}
