/** A handler of events: a method's type, as any of a browser's own is one. */
type Handler<Event> = { handle(event: Event): void }['handle'] | null;

/** A `Worker` of a browser, as far as it is used here. */
export interface BrowserWorker {
  onmessage: Handler<{ data: unknown }>;
  onerror: Handler<{ message?: string; preventDefault?(): void }>;
  postMessage(message: unknown, transfer: ArrayBuffer[]): void;
  terminate(): void;
}
