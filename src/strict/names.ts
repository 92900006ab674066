/** What a model's name has to be, in words. It stands in file names, and as a key in records. */
export const NAME_RULE = 'a name of 1 to 64 letters, digits, "-" or "_"';

/** True for a name that {@link NAME_RULE} allows. */
export function isName(name: string): boolean {
  return /^[\w-]{1,64}$/.test(name);
}
