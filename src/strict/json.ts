import { quote } from './text.js';

/** How deep a format's JSON is nested, and how many values it lists. It bounds the memory a hostile one can ask for. */
export interface JsonLimits {
  depth: number;
  values: number;
}

/**
 * What JSON.parse would not tell, to be asked before it: a key that stands twice in one object (it keeps the last),
 * and nesting or length beyond the format's. Null when all is well. Strings are skipped as JSON reads them; anything
 * else wrong is left to JSON.parse. It takes memory for the keys of the objects that are open.
 */
export function structureProblem(text: string, { depth, values }: JsonLimits): string | null {
  const keysOfOpen: (Set<string> | null)[] = [];
  let count = 0;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === '{' || character === '[') {
      if (keysOfOpen.length === depth)
        return `is nested deeper than ${depth} ${depth === 1 ? 'level' : 'levels'}`;
      if (++count > values) return `lists more than ${values} values`;
      keysOfOpen.push(null);
    } else if (character === '}' || character === ']') {
      keysOfOpen.pop();
    } else if (character === ',') {
      if (++count > values) return `lists more than ${values} values`;
    } else if (character === '"') {
      const start = at++;
      while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
      const open = keysOfOpen.length - 1;
      const key = open >= 0 && isKey(text, at + 1) ? unescaped(text.slice(start, at + 1)) : null;
      if (key === null) continue;
      keysOfOpen[open] ??= new Set();
      const keys = keysOfOpen[open]!;
      if (keys.has(key)) return `has the key ${quote(key)} twice`;
      keys.add(key);
    }
  }
  return null;
}

function isKey(text: string, after: number): boolean {
  let at = after;
  while (' \t\n\r'.includes(text[at] ?? '-')) at++;
  return text[at] === ':';
}

/** The string that a JSON literal stands for; null when it is none. */
function unescaped(literal: string): string | null {
  try {
    return JSON.parse(literal);
  } catch {
    return null;
  }
}

/** Indented JSON with each list of numbers on one line. */
export function readableJson(value: object): string {
  const lists = /\[\n\s*(-?\d[^[\]{}"]*?)\n\s*\]/g;
  const json = JSON.stringify(value, null, 2);
  return `${json.replace(lists, (_, numbers: string) => `[${numbers.replace(/\s+/g, ' ')}]`)}\n`;
}
