import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { addBench } from './commands/bench.js';
import { addDataCommand } from './commands/data.js';
import { addDoctor } from './commands/doctor.js';
import { addEvaluate } from './commands/evaluate.js';
import { addExport } from './commands/export.js';
import { addFit } from './commands/fit.js';
import { addImport } from './commands/import.js';
import { addInspect } from './commands/inspect.js';
import { addPredict } from './commands/predict.js';
import { addQueue } from './commands/queue.js';
import { addReport } from './commands/report.js';
import { addRunAll } from './commands/run-all.js';
import { addTest } from './commands/test.js';
import { addTrain } from './commands/train.js';
import { addWorker } from './commands/worker.js';
import { EXIT, errorText, exitCodeOf } from './errors.js';
import { outputFailed, watchOutput } from './output.js';

/** Runs one command line and returns the exit code. What it prints goes to the process's own streams. */
export async function main(args: string[]): Promise<number> {
  watchOutput(args.includes('--json'));
  let exitCode: number = EXIT.done;
  try {
    const program = newProgram((code) => {
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

/** The command line with all its commands; `end` takes the exit code of one that ends without an error. */
export function newProgram(end: (code: number) => void): Command {
  const program = new Command('treadle')
    .description('Trains dense neural networks in WebAssembly.')
    .version(packageVersion())
    .exitOverride()
    .showSuggestionAfterError()
    .configureHelp({ showGlobalOptions: true })
    .option('--verbose', 'show where an error comes from', false);
  addRunAll(program, end);
  addTrain(program, end);
  addTest(program, end);
  addPredict(program, end);
  addFit(program, end);
  addEvaluate(program, end);
  addDataCommand(program);
  addReport(program);
  addInspect(program, end);
  addExport(program);
  addImport(program);
  addDoctor(program);
  addBench(program);
  addWorker(program, end);
  addQueue(program);
  return program;
}

function packageVersion(): string {
  const file = new URL('../../package.json', import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
