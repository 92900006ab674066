import { useEffect } from 'preact/hooks';
import { sentenceOf } from '../app/problems.ts';
import { addressSettings, type Room, shareSettings } from '../app/route.ts';
import { kept, listKept } from '../app/storage.ts';
import type { Trainer } from './trainer.ts';

/** The setting of an address that names a kept model. */
const KEPT = 'kept';

/** Opens the kept model that the address names, as the list of them does; `first` opens what else it names, if it does. */
export function useKept(trainer: Trainer, room: Room, first?: () => Promise<void>): void {
  useEffect(() => {
    const others = first?.();
    const id = Number(addressSettings().get(KEPT) ?? Number.NaN);
    if (!Number.isInteger(id)) return;
    trainer.kept.value = id;
    const open = async () => {
      await others;
      // What was opened has put it away.
      trainer.kept.value = id;
      await listKept();
      // A training may have begun since.
      if (trainer.kept.value !== id) return;
      const found = kept.value.find((model) => model.id === id && model.room === room);
      if (found === undefined) {
        trainer.problem.value = `Model ${id} is not kept in this browser; one of those under “Kept models” is expected.`;
        return;
      }
      const { name, setup, address, epochs, best, bytes } = found;
      await trainer.open(bytes, { name, epochs, best }, { setup, address }, id);
    };
    open().catch((error: unknown) => {
      trainer.problem.value = sentenceOf(error);
    });
  }, [trainer, room]);
}

/** Keeps a room's settings in the address, and which kept model is open: so a reload finds both again. */
export function useAddress(trainer: Trainer, room: Room, settings: URLSearchParams): void {
  const id = trainer.kept.value;
  useEffect(() => {
    const all = new URLSearchParams(settings);
    if (id !== null) all.set(KEPT, String(id));
    shareSettings(room, all);
  }, [room, settings, id]);
}
