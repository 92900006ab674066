import { isDeepStrictEqual } from 'node:util';
import type { Command } from 'commander';
import * as v from 'valibot';
import { TreadleError } from '#bindings';
import { differs } from '../node/run-folders.js';
import { KINDS } from '../table/kinds.js';
import type { BegunSearch } from '../table/search/folder.js';
import { checkGrid, type SearchGrid } from '../table/search/grid.js';
import type { TrainOptions } from './fit-options.js';
import { expectGiven } from './fit-rows.js';
import { readSettingsText, settingsObject } from './json-file.js';
import { optionOf, usageError } from './options.js';

const text = v.string('a text');
const CONFIG = v.object({
  target: v.pipe(v.array(text, 'a list of columns'), v.minLength(1, 'at least one column')),
  column: v.record(text, v.picklist(KINDS, 'a kind'), 'an object of kinds'),
  task: v.optional(v.picklist(['classification', 'regression'], 'a task')),
  testSize: v.nullable(v.number('a number')),
  group: v.optional(text),
  time: v.optional(text),
  hidden: v.optional(v.array(v.number('a width'), 'a list of widths')),
  epochs: v.optional(v.number('a number')),
  seed: v.number('a number'),
  cv: v.optional(v.number('a number')),
  grid: v.optional(v.looseObject({}, 'an object')),
  separator: v.optional(text),
  decimal: v.picklist(['.', ','], 'a decimal mark'),
});

/** What a search of the command line is of: its run's `config.json`. All of it changes the results. */
export type SearchConfig = Omit<v.InferOutput<typeof CONFIG>, 'grid'> & { grid?: SearchGrid };

/** Deeper than any grid, and far larger. */
const LIMITS = { depth: 4, values: 100_000 };

/** The settings that a `--grid` file has. Throws `not-found`, `unreadable`, `format` and `usage`. */
async function readGridFile(file: string): Promise<SearchGrid> {
  return checkGrid(settingsObject(await readSettingsText(file), file, LIMITS), file);
}

/** What was asked for. Throws `usage` for what a grid and an option both say. */
export async function newConfig(options: TrainOptions, command: Command): Promise<SearchConfig> {
  const { column, task, group, time, hidden, epochs, seed, cv, separator, decimal } = options;
  const grid = options.grid === undefined ? undefined : await readGridFile(options.grid);
  for (const name of ['hidden', 'epochs'] as const) {
    if (options[name] === undefined || grid?.[name] === undefined) continue;
    throw usageError(optionOf(name), 'given', `it here or in ${options.grid}, not in both,`);
  }
  // What cross-validation says of a model needs no other rows, unless a search has chosen by it.
  const holdsOut = grid !== undefined || command.getOptionValueSource('testSize') === 'cli';
  return {
    target: expectGiven('--target', options.target, 'a column to predict'),
    column,
    testSize: holdsOut ? options.testSize : null,
    seed,
    decimal,
    ...Object.fromEntries(
      Object.entries({ task, group, time, hidden, epochs, cv, grid, separator }).filter(
        ([, value]) => value !== undefined,
      ),
    ),
  };
}

/** What a run was begun with. Throws `format` for a broken record. */
export function configOf({ folder, config }: BegunSearch): SearchConfig {
  const parsed = v.safeParse(CONFIG, config);
  if (!parsed.success) {
    const [issue] = parsed.issues;
    const place = `${folder}/config.json: ${v.getDotPath(issue) ?? 'the content'}`;
    throw new TreadleError('format', `${place} is ${issue.received}; ${issue.message} is expected.`, {
      subject: folder,
      found: issue.received,
      expected: issue.message,
    });
  }
  const begun = parsed.output as SearchConfig;
  checkGrid(begun.grid ?? {}, `${folder}/config.json: grid`);
  return begun;
}

/** {@link configOf} a run to go on with. Throws `usage` for an option given that differs from it. */
export async function resumedConfig(
  run: BegunSearch,
  options: TrainOptions,
  command: Command,
): Promise<SearchConfig> {
  const begun = configOf(run);
  for (const name of Object.keys(CONFIG.entries) as (keyof SearchConfig)[]) {
    if (command.getOptionValueSource(name) !== 'cli') continue;
    const found = name === 'grid' ? await readGridFile(options.grid!) : options[name];
    if (!isDeepStrictEqual(found, begun[name]))
      differs(run.folder, optionOf(name), found, begun[name] ?? 'none');
  }
  return begun;
}
