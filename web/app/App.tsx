import type { ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { Header } from './Header.tsx';
import { Problem } from './Problem.tsx';
import { ROOMS, type Room, room, visit } from './route.ts';

/** The rooms, each fetched when it is first entered. */
const PLACES: Record<Room, () => Promise<ComponentType>> = {
  clothes: async () => (await import('../rooms/clothes/ClothesRoom.tsx')).ClothesRoom,
  table: async () => (await import('../rooms/table/TableRoom.tsx')).TableRoom,
  playground: async () => (await import('../rooms/playground/PlaygroundRoom.tsx')).PlaygroundRoom,
  kept: async () => (await import('../rooms/kept/KeptRoom.tsx')).KeptRoom,
};

/** The whole page: what is above, the room that the address names, and what is below. */
export function App() {
  const name = room.value;
  const [shown, show] = useState<{ name: Room; Place: ComponentType | null } | null>(null);
  useEffect(() => {
    let current = true;
    PLACES[name]().then(
      (Place) => current && show({ name, Place }),
      () => current && show({ name, Place: null }),
    );
    document.title = `${ROOMS[name]} – treadle`;
    return () => {
      current = false;
    };
  }, [name]);
  return (
    <>
      <button type="button" class="skip" onClick={() => document.getElementById('main')!.focus()}>
        To the content
      </button>
      <Header />
      <main id="main" tabIndex={-1}>
        {shown?.name !== name ? (
          <p class="note">One moment…</p>
        ) : shown.Place === null ? (
          <Unfetched />
        ) : (
          <shown.Place key={visit.value} />
        )}
      </main>
      <footer>
        <p>
          Everything happens in this tab: your files, your drawings and your models never leave this machine.
          The page asks no other server for anything, and works offline after your first visit.
        </p>
        <p class="note">
          Trained by treadle, a library for training neural networks in WebAssembly.{' '}
          {crossOriginIsolated ? 'Threads: as many as help.' : 'Threads: one, as this page is not isolated.'}
        </p>
      </footer>
    </>
  );
}

/** In place of a room that could not be fetched. */
function Unfetched() {
  return (
    <section class="lead">
      <Problem text="This room could not be fetched; a network, or the files of this page’s own version at its host, is expected." />
      <button type="button" onClick={() => location.reload()}>
        Load the page again
      </button>
    </section>
  );
}
