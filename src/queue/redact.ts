/** The user and the password of an address: everything from its `//` to the last `@` before a space or a quote. */
const CREDENTIALS = /([a-z][a-z0-9+.-]*:\/\/)[^\s'"`<>]*@/gi;

/** Passwords that are written as a parameter of an address. */
const PARAMETERS = /([?&](?:password|username|user|pass|auth|token|secret)[^=&\s]*=)[^&\s'"`<>]*/gi;

/**
 * A text without the credentials of the addresses in it: what is printed, stored or thrown goes through here. `secrets` are
 * texts that must not stand in it wherever they come from.
 *
 * @example redact('redis://me:secret@host/0'); // 'redis://***@host/0'
 */
export function redact(text: string, secrets: readonly string[] = []): string {
  let clean = text.replace(CREDENTIALS, '$1***@').replace(PARAMETERS, '$1***');
  for (const secret of secrets) if (secret !== '') clean = clean.replaceAll(secret, '***');
  return clean;
}
