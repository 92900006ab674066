import type * as v from 'valibot';
import type { RunConfig } from '../results/records.js';
import { issueSentence } from '../strict/issues.js';
import { SETTING_NAMES, SETTINGS } from './settings.js';

/** The check of every setting; messages say what is expected. */
export const CHECKS = Object.fromEntries(SETTING_NAMES.map((name) => [name, SETTINGS[name].check])) as {
  readonly [Name in keyof RunConfig]: v.GenericSchema<unknown, RunConfig[Name]>;
};

/** One sentence for a setting that failed its check; `place` (such as a file) is put before the setting's path. */
export function describeIssue(issue: v.BaseIssue<unknown>, place: string) {
  return issueSentence(issue, place, SETTING_NAMES);
}
