import { problem, type TreadleError } from '#bindings';
import { redact } from './redact.js';

/** Where a queue is. */
export interface QueueAddress {
  /** With its credentials: for the client alone. */
  url: string;
  /** Without them: for people. */
  shown: string;
  /** Texts that must appear nowhere. */
  secrets: readonly string[];
}

/** What a queue's address has to be, in words. */
export const QUEUE_RULE = 'an address such as redis://HOST:6379/0 or rediss://USER:PASSWORD@HOST';

/** Reads a queue's address. Throws `usage`, without the credentials, for one that is none. */
export function queueAddress(text: string, subject = '--queue'): QueueAddress {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (
    url === null ||
    !/^rediss?:$/.test(url.protocol) ||
    url.hostname === '' ||
    !/^\/?\d*$/.test(url.pathname)
  )
    throw noAddress(subject, text);
  // The client takes options out of the query; none is offered here.
  if (url.search !== '' || url.hash !== '') throw noAddress(subject, text);
  return { url: text, shown: redact(text), secrets: secretsOf(url) };
}

/** The password, as it was written and as it is sent. One of a letter or two would blot out half of every sentence. */
function secretsOf({ password }: URL): string[] {
  let plain = password;
  try {
    plain = decodeURIComponent(password);
  } catch {
    // It is no escape, so it is sent as it stands.
  }
  return [password, plain].filter((secret) => secret.length > 2);
}

function noAddress(subject: string, text: string): TreadleError {
  return problem('usage', { subject, found: JSON.stringify(redact(text)), expected: QUEUE_RULE });
}
