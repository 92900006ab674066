import * as v from 'valibot';
import type { RunConfig } from '../results/records.js';
import { preview, quote } from '../strict/text.js';
import { SETTING_NAMES, SETTINGS } from './settings.js';

/** The check of every setting; messages say what is expected. */
export const CHECKS = Object.fromEntries(SETTING_NAMES.map((name) => [name, SETTINGS[name].check])) as {
  readonly [Name in keyof RunConfig]: v.GenericSchema<unknown, RunConfig[Name]>;
};

/** One sentence for a setting that failed its check; `place` (such as a file) is put before the setting's path. */
export function describeIssue(issue: v.BaseIssue<unknown>, place: string) {
  const path = v.getDotPath(issue) ?? 'the settings';
  const prefix = place === '' ? '' : `${place}: `;
  if (issue.type === 'strict_object' && issue.expected === 'never') {
    const expected = `known keys only (${SETTING_NAMES.join(', ')})`;
    const sentence = `${prefix}${quote(path)} is an unknown key; ${expected} are expected.`;
    return { subject: path, found: path, expected, sentence };
  }
  const isMissing = issue.type === 'strict_object' && issue.input === undefined;
  const expected = isMissing ? 'a value' : issue.message;
  const found = issue.input === undefined ? 'missing' : preview(issue.input);
  return {
    subject: path,
    found: issue.input,
    expected,
    sentence: `${prefix}${path} is ${found}; ${expected} is expected.`,
  };
}
