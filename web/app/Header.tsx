import { ROOMS, type Room, room } from './route.ts';

/** A link to a room. Where that is open already it does nothing: the room would begin anew, and lose what it has. */
const wayTo = (name: Room) => ({
  href: `#/${name}`,
  onClick: (event: Event) => {
    if (room.value === name) event.preventDefault();
  },
});

/** The page's name and the ways to its rooms. */
export function Header() {
  return (
    <header>
      <a class="brand" {...wayTo('playground')}>
        <svg viewBox="0 0 32 32" width="28" height="28" aria-hidden="true">
          <path d="M5 9L16 5L27 9M5 9L16 16L27 9M16 16V27M5 9V22L16 27L27 22V9" />
        </svg>
        treadle
      </a>
      <nav aria-label="Rooms">
        <ul>
          {(Object.keys(ROOMS) as Room[]).map((name) => (
            <li key={name}>
              <a {...wayTo(name)} aria-current={room.value === name ? 'page' : undefined}>
                {ROOMS[name]}
              </a>
            </li>
          ))}
        </ul>
      </nav>
      <p class="private">
        <svg viewBox="0 0 16 16" width="14" height="14" aria-hidden="true">
          <path d="M4 7V5a4 4 0 0 1 8 0v2M3 7h10v7H3z" />
        </svg>
        Nothing leaves your machine
      </p>
    </header>
  );
}
