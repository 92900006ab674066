import * as v from 'valibot';
import { preview, quote } from './text.js';

/**
 * One sentence for what failed its check; `place` (such as a file) is put before the path, `names` are the keys that are known
 * there, and `whole` is what stands for an empty path.
 */
export function issueSentence(
  issue: v.BaseIssue<unknown>,
  place: string,
  names: readonly string[],
  whole = 'the settings',
) {
  const path = v.getDotPath(issue) ?? whole;
  const prefix = place === '' ? '' : `${place}: `;
  if (issue.type === 'strict_object' && issue.expected === 'never') {
    const expected = `known keys only (${names.join(', ')})`;
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
