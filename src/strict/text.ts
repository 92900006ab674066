/** Control characters, lone surrogates, line ends, and marks that turn the direction of writing. */
const UNPRINTABLE = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/gu;

/** A text out of a file as it may stand in a sentence: what could forge or garble a line is written as an escape. */
export function oneLine(text: string): string {
  return text.replace(UNPRINTABLE, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}

/** The first of some names, and how many more there are: `a, b, c and 4 more`. */
export function listed(names: readonly string[], most = 3): string {
  const first = names.slice(0, most).join(', ');
  return names.length > most ? `${first} and ${names.length - most} more` : first;
}

/** A name out of a file, made safe to print: quoted, escaped and cut to 80 characters. */
export function quote(name: string): string {
  return oneLine(JSON.stringify(name.length > 80 ? `${name.slice(0, 80)}…` : name));
}

/** The JSON of a value out of a file, cut to so many characters; takes no longer for a larger or deeper value. */
export function preview(value: unknown, characters = 60): string {
  const text = jsonStart(value, characters + 1);
  return oneLine(text.length <= characters ? text : `${text.slice(0, characters - 3)}...`);
}

/** A value's JSON up to about `room` characters, at least where it is longer; every level takes one of them. */
function jsonStart(value: unknown, room: number): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, room));
  if (typeof value !== 'object' || value === null) return String(value);
  const isList = Array.isArray(value);
  let text = isList ? '[' : '{';
  for (const key in value) {
    if (text.length > room) return text;
    if (text.length > 1) text += ',';
    if (!isList) text += `${JSON.stringify(key.slice(0, room))}:`;
    text += jsonStart((value as Record<string, unknown>)[key], room - text.length);
  }
  return text + (isList ? ']' : '}');
}

/** A text as a field of CSV, quoted by RFC 4180 where it must be. */
export function csvField(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
