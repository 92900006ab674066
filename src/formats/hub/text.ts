import { oneLine } from '../../strict/text.js';

// Texts of any origin in a card's three languages.

/** What YAML takes for the end of a line, or does not take at all, and JSON writes as it is. */
const UNSAFE = /[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g;

/** A text in quotes, as YAML, JSON, JavaScript and Python read it. */
export function quoted(text: string): string {
  const code = (letter: string) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return JSON.stringify(text).replace(UNSAFE, code);
}

/** A text that Markdown shows as it is, also in a table's cell. */
export function plain(text: string): string {
  return oneLine(text).replace(/[\\`*_{}[\]<>()#|~&$]/g, '\\$&');
}

/** A value of a card's front matter; what is undefined is left out. */
export type Yaml = string | number | boolean | readonly Yaml[] | { readonly [key: string]: Yaml | undefined };

/** A value as YAML in block style: keys are plain words, every text stands in quotes. */
export function toYaml(value: Yaml, indent = ''): string {
  if (typeof value === 'string') return quoted(value);
  if (typeof value !== 'object') return String(value);
  const inner = `${indent}  `;
  if (Array.isArray(value)) {
    return value.map((item) => `\n${indent}- ${toYaml(item, inner).trimStart()}`).join('');
  }
  const entries = Object.entries(value).filter(([, item]) => item !== undefined) as [string, Yaml][];
  return entries
    .map(([key, item]) => {
      const text = toYaml(item, inner);
      return `\n${indent}${key}:${text.startsWith('\n') ? '' : ' '}${text}`;
    })
    .join('');
}
