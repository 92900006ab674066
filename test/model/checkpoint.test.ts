import { expect, it } from 'vitest';
import { decodeCheckpoint, encodeCheckpoint, type ModelCheckpoint, TreadleError } from '../../dist/index.js';
import { uniform } from '../core/support.js';
import { failure } from '../support/errors.js';
import { smallModel, stripes } from './support.js';

// A model's checkpoint as bytes; that training goes on from them, fit.test.ts says.

const data = stripes(40, 1);
const options = { epochs: 2, batchSize: 20, validation: 0.2, average: { type: 'ema' } } as const;

async function checkpointOf(): Promise<ModelCheckpoint> {
  const model = await smallModel(3, { norm: true, dropout: 0.1 });
  return (await model.fit(data, options)).checkpoint;
}

it('is read as it was written, and equal ones have equal bytes', async () => {
  const checkpoint = await checkpointOf();
  const bytes = encodeCheckpoint(checkpoint);
  expect(decodeCheckpoint(bytes)).toEqual(checkpoint);
  expect(encodeCheckpoint(decodeCheckpoint(bytes))).toEqual(bytes);
  // A part of a larger array will do.
  const larger = new Uint8Array(bytes.length + 5);
  larger.set(bytes, 5);
  expect(decodeCheckpoint(larger.subarray(5))).toEqual(checkpoint);
});

it('has the best weights once where they are those of the last epoch', async () => {
  const model = await smallModel(3);
  const { checkpoint } = await model.fit(data, { epochs: 2 });
  const { training } = decodeCheckpoint(encodeCheckpoint(checkpoint));
  expect(training.best!.tensors).toBe(training.state.tensors);
});

it('is refused in a sentence where the bytes are none', async () => {
  const model = await smallModel(3);
  const { checkpoint } = await model.fit(data, { epochs: 1 });
  const good = encodeCheckpoint(checkpoint);
  const garbage = [
    new Uint8Array(0),
    new Uint8Array(100),
    good.slice(0, -1),
    model.save(),
    null,
    'x',
    good.buffer,
  ];
  for (const bytes of garbage) {
    const error = await failure('format', () => decodeCheckpoint(bytes as Uint8Array));
    expect(error.message).toMatch(/^The checkpoint: [^\n]+ expected\.$/);
  }
  const named = await failure('format', () => decodeCheckpoint(new Uint8Array(3), 'last.safetensors'));
  expect(named.message).toMatch(/^last\.safetensors: /);
});

it('with a bit changed is refused, or training goes on from what it then is', async () => {
  const good = encodeCheckpoint(await checkpointOf());
  const next = uniform(5);
  const header = 8 + new DataView(good.buffer).getUint32(0, true);
  let read = 0;
  for (let time = 0; time < 250; time++) {
    const bytes = good.slice();
    // Two of three in the header, where the meaning is.
    const at = Math.floor(next() * (time % 3 === 0 ? bytes.length : header));
    bytes[at]! ^= 1 << Math.floor(8 * next());
    try {
      const checkpoint = decodeCheckpoint(bytes);
      read++;
      const model = await smallModel(3, { norm: true, dropout: 0.1 });
      await model.fit(data, { ...options, epochs: 3, checkpoint });
      model.dispose();
    } catch (error) {
      expect(error, String(error)).toBeInstanceOf(TreadleError);
    }
  }
  expect(read).toBeGreaterThan(20);
});
