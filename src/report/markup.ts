import { printable } from '../results/format.js';

/** Text that is HTML already. */
export interface Markup {
  readonly markup: string;
}

/** What a template takes: text is escaped, markup is not, lists are joined, null and undefined left out. */
export type Content = string | number | Markup | null | undefined | readonly Content[];

/** A template of HTML: whatever is put into it is escaped unless it is {@link Markup} itself. */
export function html(strings: TemplateStringsArray, ...contents: Content[]): Markup {
  return { markup: strings.map((part, index) => part + render(contents[index])).join('') };
}

/** The report's own HTML, CSS or script, to be put in unescaped. */
export function trusted(markup: string): Markup {
  return { markup };
}

function render(content: Content): string {
  if (content === null || content === undefined) return '';
  if (typeof content === 'number') return String(content);
  if (typeof content === 'string') return escapeText(content);
  if ('markup' in content) return content.markup;
  return content.map(render).join('');
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Text escaped for HTML or XML, between tags or in a quoted attribute. */
export function escapeText(text: string): string {
  return printable(text).replace(/[&<>"']/g, (character) => ENTITIES[character]!);
}
