import { availableParallelism } from 'node:os';
import * as v from 'valibot';
import { problem, TreadleError } from '#bindings';
import type { RunConfig } from '../results/records.js';
import { preview, quote } from '../strict/text.js';
import { SETTING_NAMES, SETTINGS } from './settings.js';

/** The check of every setting; messages say what is expected. */
export const CHECKS = Object.fromEntries(SETTING_NAMES.map((name) => [name, SETTINGS[name].check])) as {
  readonly [Name in keyof RunConfig]: v.GenericSchema<unknown, RunConfig[Name]>;
};

/**
 * The published report's grid with treadle's defaults, for this machine's cores.
 *
 * @example defaultConfig().learningRates; // [0.005, 0.004, 0.003, 0.001]
 */
export function defaultConfig(): RunConfig {
  const cores = availableParallelism();
  return Object.fromEntries(
    SETTING_NAMES.map((name) => [name, SETTINGS[name].fallback(cores)]),
  ) as unknown as RunConfig;
}

/**
 * Fills settings that are left out with the defaults and checks all of them. Throws `range` for one that is wrong.
 *
 * @example resolveConfig({ epochs: 2, seed: 7 });
 */
export function resolveConfig(settings: Partial<RunConfig> = {}): RunConfig {
  const given = Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
  return checkConfig({ ...defaultConfig(), ...given }, '');
}

/** Checks settings of which none may be left out. Throws `range`; `place` (such as a file) is put before the sentence. */
export function checkConfig(settings: object, place: string): RunConfig {
  const result = v.safeParse(v.strictObject(CHECKS), settings);
  if (result.success) return expectChain(result.output as RunConfig, place);
  const { subject, found, expected, sentence } = describeIssue(result.issues[0], place);
  throw new TreadleError('range', sentence, {
    subject: place === '' ? subject : `${place}: ${subject}`,
    found,
    expected,
  });
}

/** Throws `range` for passes over what is no chain. */
function expectChain(config: RunConfig, place: string): RunConfig {
  if (config.passes === 1 || config.mode === 'chained') return config;
  throw problem('range', {
    subject: place === '' ? 'passes' : `${place}: passes`,
    found: config.passes,
    because: `the mode is ${config.mode}`,
    expected: '1, or the mode chained',
  });
}

/** One sentence for a setting that failed its check; `place` (such as a file) is put before the setting's path. */
export function describeIssue(issue: v.BaseIssue<unknown>, place: string) {
  const path = v.getDotPath(issue) ?? 'the settings';
  const prefix = place === '' ? '' : `${place}: `;
  if (issue.type === 'strict_object' && issue.expected === 'never') {
    const expected = `known keys only (${SETTING_NAMES.join(', ')})`;
    const sentence = `${prefix}${quote(path)} is an unknown key; ${expected} are expected.`;
    return { subject: path, found: path, expected, sentence };
  }
  const expected = issue.type === 'strict_object' ? 'a value' : issue.message;
  const found = issue.input === undefined ? 'missing' : preview(issue.input);
  return {
    subject: path,
    found: issue.input,
    expected,
    sentence: `${prefix}${path} is ${found}; ${expected} is expected.`,
  };
}
