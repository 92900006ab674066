import { useEffect } from 'preact/hooks';
import { sentenceOf } from '../app/problems.ts';
import { addressSettings, type Room } from '../app/route.ts';
import { kept, listKept } from '../app/storage.ts';
import type { Setup } from './setup.ts';
import type { Trainer } from './trainer.ts';

/** Opens the model that the address names, as the list of kept models does; `onSetup` takes how it was made. */
export function useKept(trainer: Trainer, room: Room, onSetup: (setup: Setup) => void): void {
  useEffect(() => {
    const id = Number(addressSettings().get('kept') ?? Number.NaN);
    if (!Number.isInteger(id)) return;
    const open = async () => {
      await listKept();
      const found = kept.value.find((model) => model.id === id && model.room === room);
      if (found === undefined) {
        trainer.problem.value =
          'The model is not kept in this browser any more; one of those that are is expected.';
        return;
      }
      const { name, setup, address, epochs, best, bytes } = found;
      await trainer.open(bytes, { name, epochs, best }, { setup, address });
      onSetup(setup);
    };
    open().catch((error: unknown) => {
      trainer.problem.value = sentenceOf(error);
    });
  }, [trainer, room, onSetup]);
}
