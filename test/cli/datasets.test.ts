import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../support/folder.js';
import { type IdxPart, syntheticDataset, writeIdxDataset } from '../support/idx.js';
import { jsonLines, treadle } from './treadle.js';

/** The samples with their labels changed, and without those whose new label is null. */
function relabelled(part: IdxPart, relabel: (label: number, index: number) => number | null): IdxPart {
  const { height, width } = part;
  const labels = Array.from(part.labels, relabel);
  const kept = [...labels.keys()].filter((index) => labels[index] !== null);
  const image = (index: number) => part.images.subarray(index * height * width, (index + 1) * height * width);
  return {
    images: Uint8Array.from(kept.flatMap((index) => [...image(index)])),
    labels: Uint8Array.from(kept, (index) => labels[index]!),
    height,
    width,
  };
}

describe('a dataset whose labels begin at 1, with a class of one sample, smaller than 10,000', () => {
  it('trains, tests and reports with nothing but --data and --no-verify', async () => {
    const folder = await temporaryFolder();
    const { train, test } = syntheticDataset({
      classes: 4,
      height: 4,
      width: 6,
      train: 400,
      test: 80,
      seed: 3,
    });
    // Labels 1 to 4; of the label 3 only the first sample.
    const training = relabelled(train, (label, index) => (label === 2 && index !== 2 ? null : label + 1));
    await writeIdxDataset(join(folder, 'data'), {
      train: training,
      test: relabelled(test, (label) => label + 1),
    });
    await writeFile(join(folder, 'grid.json'), '{"architectures":{"slim":[16]},"learningRates":[0.01]}');
    const data = ['--data', 'data', '--no-verify'];

    const info = await treadle(['data', 'info', '--json', ...data], { cwd: folder });
    expect(JSON.parse(info.stdout).classes.map((entry: { train: number }) => entry.train)).toEqual([
      100, 100, 1, 100,
    ]);

    const run = await treadle(['run-all', '--json', ...data, '--config', 'grid.json'], { cwd: folder });
    expect(run.stderr).toMatch(
      /^.+ has labels from 1 to 4; they are .+\nData: .+; 251 training, 50 validation and 80 test images\.\n$/,
    );
    expect(run.code).toBe(0);
    const events = jsonLines(run.stdout);
    expect(events.at(-1)).toMatchObject({ type: 'done' });
    const tested = events.find(({ type }) => type === 'test') as { confusion: number[][]; recall: number };
    const rows = tested.confusion.map((row) => row.reduce((sum, count) => sum + count));
    expect(rows).toEqual([20, 20, 20, 20]);
    // As scikit-learn: averages over the labels that occur, of the tested or of the predicted.
    const occurs = [0, 1, 2, 3].filter((label) =>
      tested.confusion.some((row) => row[label]! + rows[label]! > 0),
    );
    const recalls = occurs.map((label) => tested.confusion[label]![label]! / (rows[label] || 1));
    expect(tested.recall).toBeCloseTo(recalls.reduce((sum, recall) => sum + recall) / occurs.length, 12);

    const again = await treadle(['test', '--best', '--json', ...data], { cwd: folder });
    expect(again.code).toBe(0);
    expect(jsonLines(again.stdout)).toMatchObject([{ recall: tested.recall, confusion: tested.confusion }]);
    const id = events.find(({ type }) => type === 'run')!.id as string;
    expect((await treadle(['report', id], { cwd: folder })).code).toBe(0);
  });
});
