import { CommanderError } from 'commander';
import { TreadleError } from '#bindings';
import { SETTINGS } from '../experiment/settings.js';
import { FASHION_MNIST } from '../fashion-mnist/identity.js';
import { deniedSentence } from '../node/denied.js';
import { optionOf } from './options.js';

/** What the process ends with. */
export const EXIT = { done: 0, failed: 1, usage: 2, interrupted: 130 } as const;

/** The exit code that an error ends the command with. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
  if (!(error instanceof TreadleError)) return EXIT.failed;
  if (error.code === 'usage' || isOfSettings(error)) return EXIT.usage;
  return error.code === 'interrupted' ? EXIT.interrupted : EXIT.failed;
}

/** Whether an error is of what the user asked for: its subject is an option, a setting by its path, or a parameter. */
function isOfSettings({ subject = '', code }: TreadleError): boolean {
  const [name] = subject.split('.') as [string];
  if (subject.startsWith('--') || Object.hasOwn(SETTINGS, name)) return true;
  return Object.hasOwn(PARAMETERS, subject) && (code === 'range' || code === 'shape');
}

/** What sets a parameter of the library, for those beside the settings of a run. */
const PARAMETERS: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    ['samples', 'target', 'group', 'time', 'separator', 'activation', 'head', 'classes', 'spec'].map(
      (name) => [name, optionOf(name)],
    ),
  ),
  'classes.length': 'The number of --classes',
  score: "The grid's score",
};

/** What sets the parameter or setting that an error is of; null for an error of something else. */
function setterOf(subject: string): string | null {
  if (Object.hasOwn(PARAMETERS, subject)) return PARAMETERS[subject]!;
  if (subject.startsWith(KIND_OF)) return `--column ${subject.slice(KIND_OF.length)}`;
  return Object.hasOwn(SETTINGS, subject) ? optionOf(subject) : null;
}

/** How the library's name of what a column is taken for begins. */
const KIND_OF = 'columns.';

/** An error's sentence with the option in place of the parameter that it sets, or behind it what option would help. */
function inOptions({ message, subject = '', code }: TreadleError): string {
  const setter = setterOf(subject);
  if (setter !== null) {
    const at = message.startsWith(`${subject} `) ? 0 : message.indexOf(`: ${subject} `) + 2;
    return at === 1 ? message : message.slice(0, at) + setter + message.slice(at + subject.length);
  }
  if (code === 'network' && subject === FASHION_MNIST) return `${message} Give it by --data DIR.`;
  return subject === 'the weights folder' ? `${message} Give it by --weights DIR.` : message;
}

/** An error as it is printed: a sentence and, when asked, the stack; empty where commander has printed it. */
export function errorText(error: unknown, verbose: boolean): string {
  if (error instanceof CommanderError) return '';
  const message = error instanceof Error ? error.message : String(error);
  const unforeseen = deniedSentence(error) ?? `an unexpected error: ${message}`;
  const sentence = error instanceof TreadleError ? inOptions(error) : unforeseen;
  const stack = verbose && error instanceof Error ? `\n${stackOf(error)}` : '';
  return `error: ${sentence}${stack}\n`;
}

function stackOf(error: Error): string {
  const own = error.stack ?? String(error);
  return error.cause instanceof Error ? `${own}\ncaused by ${stackOf(error.cause)}` : own;
}

/** How a failure is printed: on stderr, with the stack when `verbose`, and with `json` as an object on stdout too. */
export interface Telling {
  json: boolean;
  verbose: boolean;
}

/** What an action gives for one item of several, or null when it failed: then the error is printed. */
export async function orTold<T>(
  item: Readonly<Record<string, string>>,
  action: () => Promise<T>,
  telling: Telling,
): Promise<T | null> {
  try {
    return await action();
  } catch (error) {
    if (!(error instanceof TreadleError)) throw error;
    tellFailed(item, error, telling);
    return null;
  }
}

/** Prints that one item of several failed; the object has the fields of `item`. */
export function tellFailed(
  item: Readonly<Record<string, string>>,
  error: TreadleError,
  { json, verbose }: Telling,
): void {
  const { code, message } = error;
  if (json) process.stdout.write(`${JSON.stringify({ type: 'failed', ...item, code, message })}\n`);
  process.stderr.write(errorText(error, verbose));
}
