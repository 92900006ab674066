import { TreadleError } from '#bindings';
import { readFileBounded } from '../node/files.js';
import { type JsonLimits, structureProblem } from '../strict/json.js';
import { oneLine, preview } from '../strict/text.js';

/** More than any file of settings needs. */
const MAX_BYTES = 1 << 20;

/** The text of a file of settings. Throws `not-found`, `unreadable` or `format`. */
export async function readSettingsText(file: string): Promise<string> {
  return Buffer.from(await readFileBounded(file, MAX_BYTES)).toString('utf8');
}

/**
 * The object of settings in a JSON text; `file` is named in errors. Allocates at most 64 bytes a character. Throws `usage`.
 */
export function settingsObject(text: string, file: string, limits: JsonLimits): Record<string, unknown> {
  const problem = structureProblem(text, limits);
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
  if (isObject(content)) return content;
  const expected = 'an object of settings';
  throw new TreadleError('usage', `${file} has ${preview(content)}; ${expected} is expected.`, {
    subject: file,
    found: content,
    expected,
  });
}

/** Whether a value is an object and no list. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
