import { availableParallelism } from 'node:os';
import * as v from 'valibot';
import { problem, TreadleError } from '#bindings';
import type { RunConfig } from '../results/records.js';
import { CHECKS, describeIssue } from './checks.js';
import { LIMITS } from './limits.js';
import { SETTING_NAMES, SETTINGS } from './settings.js';

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
  if (result.success) return expectTogether(result.output as RunConfig, place);
  const { subject, found, expected, sentence } = describeIssue(result.issues[0], place);
  throw new TreadleError('range', sentence, {
    subject: place === '' ? subject : `${place}: ${subject}`,
    found,
    expected,
  });
}

/** Throws `range` for passes over what is no chain, and for seeds that end beyond the largest. */
function expectTogether(config: RunConfig, place: string): RunConfig {
  const at = (name: string) => (place === '' ? name : `${place}: ${name}`);
  if (config.passes > 1 && config.mode !== 'chained') {
    throw problem('range', {
      subject: at('passes'),
      found: config.passes,
      because: `the mode is ${config.mode}`,
      expected: '1, or the mode chained',
    });
  }
  const most = LIMITS.seed[1] - config.seeds + 1;
  if (config.seed > most) {
    throw problem('range', {
      subject: at('seed'),
      found: config.seed,
      because: `the run has ${config.seeds} seeds from there on`,
      expected: `a whole number up to ${most}`,
    });
  }
  return config;
}
