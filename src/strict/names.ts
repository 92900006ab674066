/** What a model's name has to be, in words. It stands in file names, and as a key in records. */
export const NAME_RULE = 'a name of 1 to 64 letters, digits, "-" or "_"';

/** True for a name that {@link NAME_RULE} allows. */
export function isName(name: string): boolean {
  return /^[\w-]{1,64}$/.test(name);
}

/** What the id of a job has to be, in words. It stands in file names: a model's name, its rate, seed and pass fit in it. */
export const ID_RULE = 'an id of 1 to 128 letters, digits, "-", "_", "." or "+", the first no "." or "+"';

/** True for an id that {@link ID_RULE} allows. */
export function isId(id: string): boolean {
  return /^[\w-][\w.+-]{0,127}$/.test(id);
}
