import { signal } from '@preact/signals';
import type { EpochFigures } from 'treadle';
import type { Setup } from '../panel/setup.ts';
import type { Room } from './route.ts';

/** A model that is kept in this browser, with how it came to be. */
export interface Kept {
  id: number;
  room: Room;
  name: string;
  /** Milliseconds since 1970. */
  time: number;
  task: 'classification' | 'regression';
  setup: Setup;
  /** The room's own settings, as they stand in its address. */
  address: string;
  epochs: readonly EpochFigures[];
  /** The epoch whose weights it has. */
  best: number;
  /** A safetensors file. */
  bytes: Uint8Array<ArrayBuffer>;
}

/** The models that are kept, the latest first; empty until {@link listKept} has looked. */
export const kept = signal<readonly Kept[]>([]);

const STORE = 'models';
const NO_ROOM =
  'This browser has no room for the model; room that is left, such as after kept models are deleted, is expected.';

function asPromise<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

async function store(mode: IDBTransactionMode): Promise<IDBObjectStore> {
  const opening = indexedDB.open('treadle', 1);
  opening.onupgradeneeded = () =>
    opening.result.createObjectStore(STORE, { keyPath: 'id', autoIncrement: true });
  return (await asPromise(opening)).transaction(STORE, mode).objectStore(STORE);
}

/** Looks for what is kept. */
export async function listKept(): Promise<void> {
  const all = (await asPromise((await store('readonly')).getAll())) as Kept[];
  kept.value = all.sort((a, b) => b.time - a.time);
}

/** Changes what is kept; resolves once the change is written: a browser without room says so no sooner. */
async function change(make: (models: IDBObjectStore) => void): Promise<void> {
  const models = await store('readwrite');
  const { transaction } = models;
  await new Promise<void>((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => {
      const { error } = transaction;
      reject(error?.name === 'QuotaExceededError' ? new Error(NO_ROOM) : error);
    };
    make(models);
  });
  await listKept();
}

/** Keeps a model. Rejects where the browser has no room, or no storage. */
export async function keep(model: Omit<Kept, 'id' | 'time'>): Promise<void> {
  await change((models) => models.add({ ...model, time: Date.now() }));
}

export async function forget(id: number): Promise<void> {
  await change((models) => models.delete(id));
}
