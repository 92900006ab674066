import * as v from 'valibot';
import { TreadleError } from '#bindings';
import { CHECKS, describeIssue } from '../experiment/checks.js';
import type { RunConfig } from '../results/records.js';
import type { JsonLimits } from '../strict/json.js';
import { oneLine, preview, quote } from '../strict/text.js';
import { isObject, readSettingsText, settingsObject } from './json-file.js';

/** Twice as deep as a configuration; a grid of a thousand architectures has fewer values. */
const LIMITS: JsonLimits = { depth: 8, values: 100_000 };

/**
 * The settings of a `--config` file: any of a run's, by the names that `config.json` of a run has.
 * `architectures` may also be an object, `{"name": {"hidden": [widths]}}`.
 * Throws `not-found` or `unreadable` for the file and `usage` for its content.
 */
export async function readConfigFile(file: string): Promise<Partial<RunConfig>> {
  return parseConfig(await readSettingsText(file), file);
}

/**
 * The settings that a configuration's text holds; `file` is named in errors. Allocates at most 64 bytes a character.
 * Throws `usage`.
 */
export function parseConfig(text: string, file: string): Partial<RunConfig> {
  const content = settingsObject(text, file, LIMITS);
  const result = v.safeParse(v.partial(v.strictObject(CHECKS)), withListedArchitectures(content, file), {
    abortEarly: true,
  });
  if (result.success) return result.output;
  const { subject, found, expected, sentence } = describeIssue(result.issues[0], file);
  throw new TreadleError('usage', sentence, { subject: `${file}: ${subject}`, found, expected });
}

/**
 * Brings the object form of `architectures` into the form of a list; anything else is left to the check. Throws `usage`
 * for one that has another name inside.
 */
function withListedArchitectures(content: Record<string, unknown>, file: string): Record<string, unknown> {
  if (!isObject(content.architectures)) return content;
  const architectures = Object.entries(content.architectures).map(([name, value]) => {
    if (!isObject(value)) return { name, hidden: value };
    if (Object.hasOwn(value, 'name') && value.name !== name) {
      const subject = `the name in architectures.${oneLine(name)}`;
      const expected = `none, or ${quote(name)},`;
      const sentence = `${file}: ${subject} is ${preview(value.name)}; ${expected} is expected.`;
      throw new TreadleError('usage', sentence, {
        subject: `${file}: ${subject}`,
        found: value.name,
        expected,
      });
    }
    return { ...value, name };
  });
  return { ...content, architectures };
}
