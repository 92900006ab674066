import { computed, signal } from '@preact/signals';

/** The places of the page, by their names in the address. */
export const ROOMS = {
  clothes: 'Clothes',
  table: 'Your table',
  playground: 'Playground',
  kept: 'Kept models',
} as const;
export type Room = keyof typeof ROOMS;

/** Where the page opens. */
const FIRST: Room = 'playground';

/** What stands behind the `#` of the address: `/ROOM?name=value&…`. */
const hash = signal(location.hash.slice(1));
/** How often the visitor has come to another address: each time the room begins anew, with the settings in it. */
export const visit = signal(0);
addEventListener('hashchange', () => {
  hash.value = location.hash.slice(1);
  visit.value++;
});

/** The room that is shown. */
export const room = computed<Room>(() => {
  const name = hash.value.split('?')[0]!.replace(/^\//, '');
  return Object.hasOwn(ROOMS, name) ? (name as Room) : FIRST;
});

/** The settings in the address of a room, once, as it is opened. */
export function addressSettings(): URLSearchParams {
  return new URLSearchParams(location.hash.split('?')[1] ?? '');
}

let waiting: ReturnType<typeof setTimeout> | undefined;

/** Puts a room's settings into the address, so that it can be shared; in a moment, for browsers refuse many changes at once. */
export function shareSettings(of: Room, settings: URLSearchParams): void {
  clearTimeout(waiting);
  waiting = setTimeout(() => {
    if (room.value !== of) return;
    const text = settings.toString();
    history.replaceState(null, '', `#/${of}${text === '' ? '' : `?${text}`}`);
  }, 200);
}
