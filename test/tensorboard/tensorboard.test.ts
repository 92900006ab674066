import { readdirSync, readFileSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runAll } from '../../dist/experiment/index.js';
import { createModel, mlp, tensorBoard } from '../../dist/node.js';
import { imageRecord, scalarsRecord } from '../../dist/tensorboard/events.js';
import { crc32c, maskedCrc32c, recordOf } from '../../dist/tensorboard/record.js';
import { failure } from '../support/errors.js';
import { temporaryFolder } from '../support/folder.js';
import { syntheticDataset, writeIdxDataset } from '../support/idx.js';
import { eventsIn, fieldsOf, recordsIn } from './read.js';

// TensorBoard's own reader is asked in test/interchange/python.test.ts.

describe('records', () => {
  it('have CRC-32C, by the values of RFC 3720', () => {
    const ramp = Uint8Array.from({ length: 32 }, (_, at) => at);
    expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
    expect(crc32c(new Uint8Array(32).fill(255))).toBe(0x62a8ab43);
    expect(crc32c(ramp)).toBe(0x46dd794e);
    expect(crc32c(ramp.slice().reverse())).toBe(0x113fdb5c);
    expect(crc32c(new TextEncoder().encode('123456789'))).toBe(0xe3069283);
    expect(maskedCrc32c(new TextEncoder().encode('123456789'))).toBe(
      (((0xe3069283 >>> 15) | (0xe3069283 << 17)) + 0xa282ead8) >>> 0,
    );
  });

  it('are framed by length and checksums', () => {
    const content = Uint8Array.of(1, 2, 3);
    expect([...recordOf(content).subarray(0, 8)]).toEqual([3, 0, 0, 0, 0, 0, 0, 0]);
    expect(recordsIn(recordOf(content))).toEqual([content]);
    expect(recordsIn(recordOf(new Uint8Array(0)))).toEqual([new Uint8Array(0)]);
  });

  it('are events with a time in seconds and a step', () => {
    const [content] = recordsIn(scalarsRecord(7, { loss: 0.5, none: Number.NaN }, 1_500_000));
    const event = fieldsOf(content!);
    expect([event.get(1), event.get(2)]).toEqual([[1500], [7]]);
    expect(fieldsOf(event.get(5)![0] as Uint8Array).get(1)!.length).toBe(1);
  });

  it('have pictures with their sizes', () => {
    const png = new Uint8Array(30);
    new DataView(png.buffer).setUint32(16, 300);
    new DataView(png.buffer).setUint32(20, 200);
    const event = fieldsOf(recordsIn(imageRecord(1, 'a', png, 0))[0]!);
    const value = fieldsOf(fieldsOf(event.get(5)![0] as Uint8Array).get(1)![0] as Uint8Array);
    const image = fieldsOf(value.get(4)![0] as Uint8Array);
    expect([image.get(1), image.get(2), image.get(3)]).toEqual([[200], [300], [4]]);
    expect(image.get(4)![0]).toEqual(png);
  });
});

describe('tensorBoard', () => {
  const x = Float32Array.from({ length: 120 }, (_, at) => Math.sin(at * at));
  const y = Array.from({ length: 40 }, (_, row) => ['a', 'b'][row % 2]!);

  it('writes the figures of every epoch, the matrix and the ending', async () => {
    const folder = join(await temporaryFolder(), 'logs', 'first');
    const board = await tensorBoard(folder, { hyperparameters: { hidden: 4, name: 'x', norm: false } });
    const model = await createModel(mlp({ inputs: 3, hidden: [4], outputs: 2 }), { seed: 1 });
    const history = await model.fit({ x, y }, { epochs: 3, validation: 0.25, onEpoch: board.onEpoch });
    board.scalars(3, { 'test/accuracy': 0.25 });
    board.confusion(
      3,
      [
        [3, 1],
        [0, 4],
      ],
      ['a', 'b'],
    );
    await board.close();
    const { scalars, others } = eventsIn(folder);
    const single = (name: string) =>
      history.epochs.map((figures) => [figures.epoch, Math.fround(figures[name]!)]);
    expect(scalars['loss/train_loss']).toEqual(single('trainLoss'));
    expect(scalars['loss/val_loss']).toEqual(single('valLoss'));
    expect(scalars['accuracy/train_accuracy']).toEqual(single('trainAccuracy'));
    expect(scalars['macro-f1/val_macro_f1']).toEqual(single('valMacroF1'));
    expect(scalars['test/accuracy']).toEqual([[3, 0.25]]);
    expect(others).toEqual([
      ...['_hparams_/experiment', '_hparams_/session_start_info', 'confusion', '_hparams_/session_end_info'],
    ]);
  });

  it('keeps what is in the folder, unless it is told to replace its own', async () => {
    const folder = await temporaryFolder();
    await (await tensorBoard(folder)).close();
    const [own] = readdirSync(folder);
    const before = readFileSync(join(folder, own!));
    const { message } = await failure('usage', () => tensorBoard(folder));
    expect(message).toContain('a folder without event files, one for each training, is expected.');
    expect(readFileSync(join(folder, own!))).toEqual(before);
    await writeFile(join(folder, 'events.out.tfevents.1.host'), 'of another program');
    await (await tensorBoard(folder, { replace: true })).close();
    const names = readdirSync(folder);
    expect(names.length).toBe(2);
    expect(names).toContain('events.out.tfevents.1.host');
  });

  it('refuses what is no folder, no option and no name', async () => {
    const folder = await temporaryFolder();
    await failure('usage', () => tensorBoard(''));
    await failure('usage', () => tensorBoard(folder, { hyper: 1 } as never));
    const bad = await failure('usage', () => tensorBoard(folder, { hyperparameters: { a: [1] } as never }));
    expect(bad.message).toContain('an object of texts, numbers, true and false is expected');
    const board = await tensorBoard(folder);
    const names = await failure('usage', () =>
      board.confusion(
        1,
        [
          [1, 0],
          [0, 1],
        ],
        ['a'],
      ),
    );
    expect(names.message).toContain('a name for each of 2 classes is expected');
    await board.close();
    await writeFile(join(folder, 'file'), '');
    await failure('unwritable', () => tensorBoard(join(folder, 'file')));
  });

  it('tells at the end what could not be written', async () => {
    const folder = join(await temporaryFolder(), 'gone');
    const board = await tensorBoard(folder);
    await rm(folder, { recursive: true });
    board.onEpoch({ epoch: 1, seconds: 1, trainLoss: 1 });
    expect((await failure('unwritable', () => board.close())).message).toContain('cannot be written');
  });
});

describe('a run', () => {
  it('has a folder for each model, also when it is resumed, with each step once', async () => {
    const folder = await temporaryFolder();
    const dataset = syntheticDataset({ classes: 3, height: 6, width: 5, train: 300, test: 60, seed: 1 });
    await writeIdxDataset(join(folder, 'data'), dataset);
    const settings = {
      epochs: 2,
      batchSize: 32,
      validationSize: 60,
      learningRates: [0.01, 0.005],
      jobs: 1,
      threads: 1,
    };
    const options = {
      data: join(folder, 'data'),
      verify: false,
      weights: join(folder, 'weights'),
      out: join(folder, 'runs'),
      tensorBoard: join(folder, 'logs'),
    };
    const stop = new AbortController();
    let epochs = 0;
    const first = await runAll({
      ...options,
      settings: { ...settings, architectures: [{ name: 'tiny', hidden: [8] }] },
      signal: stop.signal,
      onEvent: ({ type }) => {
        if (type === 'epoch' && ++epochs === 3) stop.abort();
      },
    });
    expect(first.interrupted).toBe(true);
    const run = first.folder.split('/').at(-1)!;
    const { results } = await runAll({ ...options, resume: true });
    expect(readdirSync(join(folder, 'logs', run)).sort()).toEqual(results.models.map(({ id }) => id).sort());
    for (const model of results.models) {
      const { scalars, others } = eventsIn(join(folder, 'logs', run, model.id));
      expect(scalars['loss/val_loss']).toEqual(
        model.epochs.map(({ epoch, valLoss }) => [epoch, Math.fround(valLoss)]),
      );
      expect(scalars['test/accuracy']).toEqual([[model.kept!.epoch, Math.fround(model.test!.accuracy)]]);
      expect(others.filter((tag) => tag === 'confusion')).toEqual(['confusion']);
      expect(others.at(-1)).toBe('_hparams_/session_end_info');
    }
  });

  it('is not begun where its folder for TensorBoard cannot be written', async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'file'), '');
    await failure('unwritable', () =>
      runAll({ data: folder, out: join(folder, 'runs'), tensorBoard: join(folder, 'file') }),
    );
    expect(readdirSync(folder)).toEqual(['file']);
  });
});
