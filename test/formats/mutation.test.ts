import fc from 'fast-check';
import { unzipSync, zipSync } from 'fflate';
import { expect, test } from 'vitest';
import { TreadleError } from '../../dist/bindings/host.js';
import { readMetadata, storeMetadata } from '../../dist/formats/metadata.js';
import { fromNumpy, fromStateDict, toNumpy, toStateDict } from '../../dist/formats/naming.js';
import { decodePickle, encodePickle } from '../../dist/formats/pickle.js';
import { decodeSafetensors, encodeSafetensors, tensorOf } from '../../dist/formats/safetensors.js';
import type { Tensor } from '../../dist/formats/tensor.js';
import { createModel, exportModel, importModel, mlp } from '../../dist/node.js';
import { metadataOf, network } from './fixtures.js';

const WIDTHS = [3, 2, 2];
const TENSORS = network(WIDTHS);
const SAFETENSORS = encodeSafetensors(toStateDict(TENSORS), storeMetadata(metadataOf(WIDTHS)));
const PICKLE = encodePickle(toNumpy(TENSORS));

function readSafetensors(bytes: Uint8Array) {
  const { tensors, metadata } = decodeSafetensors(bytes, 'x');
  readMetadata(metadata, 'x');
  const copied = [...tensors].map(([name, entry]): [string, Tensor] => [name, tensorOf(entry, name, 'x')]);
  return fromStateDict(new Map(copied), 'x');
}
/** Files of every kind that is imported: named tensors, compressed arrays, and a graph. */
const IMPORTED = await importedFiles();

async function importedFiles(): Promise<[string, Uint8Array][]> {
  const model = await createModel(
    mlp({ inputs: 3, hidden: [2], outputs: 2, norm: true, activation: 'gelu' }),
  );
  const named = new Map([...toStateDict(TENSORS)].map(([name, tensor]) => [`net.${name}`, tensor]));
  const npz = exportModel(model, 'npz');
  const { 'treadle_model.npy': _, ...arrays } = unzipSync(npz);
  return [
    ['safetensors', encodeSafetensors(named, {})],
    ['described safetensors', model.save()],
    ['npz', npz],
    ['compressed npz', zipSync(arrays, { level: 9 })],
    ['pickle', PICKLE],
    ['onnx', exportModel(model, 'onnx')],
  ];
}

function importAny(bytes: Uint8Array): void {
  const made = importModel(bytes, { source: 'x' });
  // What is imported can be read, and exported.
  if (made.spec.layers.length > 0) exportModel(made.bytes, 'onnx', { source: 'x' });
}

/** Whether a file is imported; `usage` is of several orders, which a file alone does not decide. */
function isImported(bytes: Uint8Array): boolean {
  try {
    importAny(bytes);
    return true;
  } catch (error) {
    const isGood =
      error instanceof TreadleError && /^(x[: ]|spec is missing \(the layers of x ).*\.$/.test(error.message);
    if (!isGood) throw error;
    return false;
  }
}

test.each(IMPORTED)(
  'any mutation of an imported file (%s) is imported or refused with a TreadleError',
  (_, file) => {
    expect(isImported(file)).toBe(true);
    fc.assert(
      fc.property(mutations, (mutation) => {
        isImported(mutated(file, mutation));
      }),
      { numRuns: 2000 },
    );
  },
);

test.each(IMPORTED)(
  'any byte of an imported file (%s), changed, is imported or refused with a TreadleError',
  (_, file) => {
    const step = Math.max(1, Math.floor(file.length / 500));
    for (let at = 0; at < file.length; at += step) {
      for (const value of [0, 1, 0x0a, 0x7f, 0x80, 0xff]) isImported(file.with(at, value));
      isImported(file.subarray(0, at));
    }
  },
);

const readPickle = (bytes: Uint8Array) => fromNumpy(decodePickle(bytes, 'x'), 'x');

type Mutation = { kind: 'set' | 'insert' | 'remove'; at: number; bytes: Uint8Array };

/** Up to four changes of a file, each somewhere in it: bytes replaced, inserted or taken out; then perhaps a cut. */
const mutations = fc.record({
  changes: fc.array(
    fc.record<Mutation>({
      kind: fc.constantFrom('set', 'insert', 'remove'),
      at: fc.double({ min: 0, max: 1, noNaN: true }),
      bytes: fc.oneof(
        fc.uint8Array({ minLength: 1, maxLength: 9 }),
        // Bytes that mean something in either format.
        fc
          .array(
            fc.constantFrom(
              ...Buffer.from('\x80\x95.(N\x88\x89JKMXCB)t\x85\x86\x87}suc\x93Rb\x94qh"{}[]:,0-e', 'latin1'),
            ),
            {
              minLength: 1,
              maxLength: 4,
            },
          )
          .map((bytes) => Uint8Array.from(bytes)),
      ),
    }),
    { maxLength: 4 },
  ),
  kept: fc.oneof(fc.constant(1), fc.double({ min: 0, max: 1, noNaN: true })),
});

function mutated(file: Uint8Array, { changes, kept }: { changes: Mutation[]; kept: number }): Uint8Array {
  let bytes = Buffer.from(file);
  for (const { kind, at, bytes: patch } of changes) {
    const start = Math.floor(at * bytes.length);
    const end = kind === 'insert' ? start : start + patch.length;
    bytes = Buffer.concat([
      bytes.subarray(0, start),
      kind === 'remove' ? Buffer.alloc(0) : patch,
      bytes.subarray(end),
    ]);
  }
  return new Uint8Array(bytes.subarray(0, Math.floor(kept * bytes.length)));
}

/** Whether a reader takes the bytes; anything thrown but a TreadleError of one line fails the test. */
function isRead(read: (bytes: Uint8Array) => unknown, bytes: Uint8Array): boolean {
  try {
    read(bytes);
    return true;
  } catch (error) {
    if (!(error instanceof TreadleError && /^x[: ].*\.$/.test(error.message))) throw error;
    return false;
  }
}

test.each([
  ['safetensors', readSafetensors, SAFETENSORS],
  ['pickle', readPickle, PICKLE],
] as const)('any mutation of a %s file loads or is refused with a TreadleError', (_, read, file) => {
  expect(isRead(read, file)).toBe(true);
  const property = fc.property(mutations, (mutation) => {
    isRead(read, mutated(file, mutation));
  });
  fc.assert(property, { numRuns: 4000 });
});

test.each([
  ['safetensors', readSafetensors, SAFETENSORS],
  ['pickle', readPickle, PICKLE],
] as const)('no part of a %s file, cut at any byte, loads', (_, read, file) => {
  for (let length = 0; length < file.length; length++) {
    expect(isRead(read, file.subarray(0, length)), `${length} bytes`).toBe(false);
  }
});

test('every byte of a pickle, set to values that mean something, loads or is refused with a TreadleError', () => {
  const values = [0x00, 0x01, 0x28, 0x2e, 0x52, 0x62, 0x7f, 0x80, 0x94, 0xff];
  for (let at = 0; at < PICKLE.length; at++) {
    for (const value of values) isRead(readPickle, PICKLE.with(at, value));
  }
});
