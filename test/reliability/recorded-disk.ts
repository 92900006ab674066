import type { FileHandle } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { vi } from 'vitest';

type Promises = typeof import('node:fs/promises');

const { mkdir, writeFile } = await vi.importActual<Promises>('node:fs/promises');

/** One thing that a program did to the disk. */
export type Operation =
  | { type: 'create'; path: string }
  | { type: 'write'; path: string; bytes: Uint8Array }
  | { type: 'sync'; path: string }
  | { type: 'syncFolder'; path: string }
  | { type: 'folder'; path: string }
  | { type: 'rename'; from: string; to: string }
  | { type: 'remove'; path: string }
  /** Nothing: a place in the order, told by the test. */
  | { type: 'mark'; name: string };

/** A disk as a power cut may leave it: contents by path; null for a folder. */
export type DiskState = Map<string, Uint8Array | null>;

/**
 * node:fs/promises with every change to the disk written down in `operations` (only what src/node/files.ts does is known).
 * `fault`, asked before each operation, may throw in its place.
 */
export function recorded(
  actual: Promises,
  operations: Operation[],
  fault: (operation: Operation) => void = () => {},
): Promises {
  const note = (operation: Operation): void => {
    fault(operation);
    operations.push(operation);
  };
  return {
    ...actual,
    async open(path: string, flags: string) {
      if (flags.startsWith('w')) note({ type: 'create', path });
      return recordedHandle(await actual.open(path, flags), path, flags, note);
    },
    async mkdir(path: string) {
      const made = await actual.mkdir(path);
      note({ type: 'folder', path });
      return made;
    },
    async rename(from: string, to: string) {
      note({ type: 'rename', from, to });
      await actual.rename(from, to);
    },
    async rm(path: string, options: object) {
      note({ type: 'remove', path });
      await actual.rm(path, options);
    },
  } as unknown as Promises;
}

function recordedHandle(
  handle: FileHandle,
  path: string,
  flags: string,
  note: (operation: Operation) => void,
): FileHandle {
  return new Proxy(handle, {
    get(target, name) {
      if (name === 'writeFile') {
        return async (bytes: Uint8Array) => {
          note({ type: 'write', path, bytes: Uint8Array.from(bytes) });
          await target.writeFile(bytes);
        };
      }
      if (name === 'sync') {
        return async () => {
          note({ type: flags.startsWith('w') ? 'sync' : 'syncFolder', path });
          await target.sync();
        };
      }
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

interface File {
  /** What is certain to be on the disk, and what the program has written. */
  durable: Uint8Array;
  written: Uint8Array;
}

type Names = Map<string, File | null>;

/** Boundary at which a write is cut. */
const BLOCK = 4096;

/**
 * Every state that a power cut may leave, with the marks passed before it. The model: bytes are certain from the file's
 * sync on, a change of a folder's names from the folder's sync on. Until then a file may hold its old content, any
 * whole blocks of the new one, or zeros in the place of them; and names may have changed up to any of the changes.
 */
export function* powerCuts(
  operations: readonly Operation[],
): Generator<{ marks: string[]; state: DiskState }> {
  const files = new Set<File>();
  let names: Names = new Map();
  /** The names as each change that is not yet certain would leave them; the first are certain. */
  let possible: Names[] = [names];
  const marks: string[] = [];
  const change = (edit: (changed: Names) => void): void => {
    names = new Map(names);
    edit(names);
    possible.push(names);
  };
  const cuts = function* () {
    for (const candidate of possible) {
      for (const content of ['durable', 'written', 'zeros'] as const) {
        yield { marks: [...marks], state: stateOf(candidate, content) };
      }
    }
  };
  for (const operation of operations) {
    switch (operation.type) {
      case 'mark':
        marks.push(operation.name);
        break;
      case 'create': {
        const file = { durable: new Uint8Array(0), written: new Uint8Array(0) };
        files.add(file);
        change((changed) => changed.set(operation.path, file));
        break;
      }
      case 'folder':
        change((changed) => changed.set(operation.path, null));
        break;
      case 'write': {
        const file = names.get(operation.path)!;
        const before = file.written;
        for (let end = BLOCK; end < operation.bytes.length; end += BLOCK) {
          file.written = joined(before, operation.bytes.subarray(0, end));
          yield* cuts();
        }
        file.written = joined(before, operation.bytes);
        break;
      }
      case 'sync': {
        const file = names.get(operation.path)!;
        file.durable = file.written;
        break;
      }
      case 'syncFolder':
        possible = [certain(possible, names, operation.path)];
        if (!sameNames(possible[0]!, names)) possible.push(names);
        break;
      case 'rename':
        change((changed) => {
          changed.set(operation.to, changed.get(operation.from)!);
          changed.delete(operation.from);
        });
        break;
      case 'remove':
        // A folder goes file by file.
        for (const path of [...names.keys()].reverse()) {
          if (path !== operation.path && !path.startsWith(`${operation.path}/`)) continue;
          change((changed) => changed.delete(path));
        }
        break;
    }
    yield* cuts();
  }
}

/** The certain names, with those in the folder that was flushed as they now are. */
function certain(possible: readonly Names[], names: Names, folder: string): Names {
  const kept = [...possible[0]!].filter(([path]) => dirname(path) !== folder);
  const flushed = [...names].filter(([path]) => dirname(path) === folder);
  return new Map([...kept, ...flushed]);
}

function sameNames(a: Names, b: Names): boolean {
  return a.size === b.size && [...a].every(([path, file]) => b.get(path) === file);
}

/** What is there: paths whose folders are there too. The folder that everything happens in is taken for granted. */
function stateOf(names: Names, content: 'durable' | 'written' | 'zeros'): DiskState {
  const state: DiskState = new Map();
  for (const [path, file] of names) {
    if (file === null) state.set(path, null);
    else if (content === 'zeros')
      state.set(path, joined(file.durable, new Uint8Array(file.written.length - file.durable.length)));
    else state.set(path, file[content]);
  }
  return state;
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}

/** Makes a state below `to` of what was recorded below `from`. A file whose folder is not there is lost with it. */
export async function restore(state: DiskState, from: string, to: string): Promise<void> {
  for (const [path, content] of [...state].sort(([a], [b]) => a.length - b.length)) {
    const target = join(to, relative(from, path));
    if (dirname(path) !== from && state.get(dirname(path)) !== null) continue;
    if (content === null) await mkdir(target, { recursive: true });
    else await writeFile(target, content);
  }
}
