import * as v from 'valibot';
import { TreadleError } from '#bindings';
import { CHECKS, describeIssue } from '../experiment/checks.js';
import { readFileBounded } from '../node/files.js';
import type { RunConfig } from '../results/records.js';
import { type JsonLimits, structureProblem } from '../strict/json.js';
import { oneLine, preview, quote } from '../strict/text.js';

/** More than any grid needs; a larger file is not a configuration. */
const MAX_BYTES = 1 << 20;

/** Twice as deep as a configuration; a grid of a thousand architectures has fewer values. */
const LIMITS: JsonLimits = { depth: 8, values: 100_000 };

/**
 * The settings of a `--config` file: any of a run's, by the names that `config.json` of a run has.
 * `architectures` may also be an object, `{"name": {"hidden": [widths]}}`.
 * Throws `not-found` or `unreadable` for the file and `usage` for its content.
 */
export async function readConfigFile(file: string): Promise<Partial<RunConfig>> {
  const text = Buffer.from(await readFileBounded(file, MAX_BYTES)).toString('utf8');
  return parseConfig(text, file);
}

/**
 * The settings that a configuration's text holds; `file` is named in errors. Allocates at most 64 bytes a character.
 * Throws `usage`.
 */
export function parseConfig(text: string, file: string): Partial<RunConfig> {
  const problem = structureProblem(text, LIMITS);
  if (problem !== null) {
    const expected = 'a JSON object of settings';
    throw new TreadleError('usage', `${file} ${problem}; ${expected} is expected.`, {
      subject: file,
      found: problem,
      expected,
    });
  }
  let content: unknown;
  try {
    content = JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (cause) {
    const reason = oneLine((cause as Error).message);
    throw new TreadleError(
      'usage',
      `${file} is not JSON (${reason}); a JSON object of settings is expected.`,
      {
        subject: file,
        found: reason,
        expected: 'a JSON object',
        cause,
      },
    );
  }
  if (!isObject(content)) {
    const expected = 'an object of settings';
    throw new TreadleError('usage', `${file} has ${preview(content)}; ${expected} is expected.`, {
      subject: file,
      found: content,
      expected,
    });
  }
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

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
