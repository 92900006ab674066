import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { EXIT, errorText, exitCodeOf } from './errors.js';
import { outputFailed, watchOutput } from './output.js';

/** Runs one command line and returns the exit code. What it prints goes to the process's own streams. */
export async function main(args: string[]): Promise<number> {
  watchOutput(args.includes('--json'));
  let exitCode: number = EXIT.done;
  try {
    const program = await newProgram(args, (code) => {
      exitCode = code;
    });
    await program.parseAsync(args, { from: 'user' });
  } catch (error) {
    process.stderr.write(errorText(error, args.includes('--verbose')));
    exitCode = exitCodeOf(error);
  }
  const failed = await outputFailed();
  return failed && exitCode === EXIT.done ? EXIT.failed : exitCode;
}

/** Adds a command; `end` takes the exit code of a run that ends without an error. */
type Add = (program: Command, end: (code: number) => void) => void;

/** The commands in the order of the help. Each is loaded when it is asked for: all of them take three times as long. */
const COMMANDS: Record<string, () => Promise<{ add: Add }>> = {
  'run-all': () => import('./commands/run-all.js'),
  train: () => import('./commands/train.js'),
  test: () => import('./commands/test.js'),
  predict: () => import('./commands/predict.js'),
  fit: () => import('./commands/fit.js'),
  evaluate: () => import('./commands/evaluate.js'),
  explain: () => import('./commands/evaluate.js'),
  data: () => import('./commands/data.js'),
  report: () => import('./commands/report.js'),
  inspect: () => import('./commands/inspect.js'),
  export: () => import('./commands/export.js'),
  import: () => import('./commands/import.js'),
  doctor: () => import('./commands/doctor.js'),
  bench: () => import('./commands/bench.js'),
  worker: () => import('./commands/worker.js'),
  queue: () => import('./commands/queue.js'),
};

/** The command line with the command that `args` name, or with all where they name none. */
export async function newProgram(args: readonly string[], end: (code: number) => void): Promise<Command> {
  const program = new Command('treadle')
    .description('Trains dense neural networks in WebAssembly.')
    .version(packageVersion())
    .exitOverride()
    .showSuggestionAfterError()
    .configureHelp({ showGlobalOptions: true })
    .option('--verbose', 'show where an error comes from', false);
  const name = args.find((arg) => !arg.startsWith('-')) ?? '';
  const names = Object.hasOwn(COMMANDS, name) ? [name] : Object.keys(COMMANDS);
  const loaded = await Promise.all(names.map((name) => COMMANDS[name]!()));
  for (const { add } of new Set(loaded)) add(program, end);
  return program;
}

function packageVersion(): string {
  const file = new URL('../../package.json', import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
