import { TreadleError } from '#bindings';
import { listed } from '../strict/text.js';

/** The labels of one part of a dataset, and what error messages call their file. */
interface LabelFile {
  labels: Uint8Array;
  file: string;
}

/**
 * Makes class indices of the labels, in place: the lowest of both parts becomes 0, as labels may begin at 1 (EMNIST's
 * letters do). Returns the classes' names, the labels from the lowest to the highest of training; one in between that
 * does not occur is a class without samples. `log` is told of both. Throws `data` for fewer than two labels that occur
 * in training, and for a test label above them.
 */
export function takeClasses(
  train: LabelFile,
  test: LabelFile,
  log: ((line: string) => void) | undefined,
): string[] {
  const present = new Set(train.labels);
  const highest = Math.max(...present);
  if (present.size < 2) {
    throw new TreadleError(
      'data',
      `${train.file} has only the label ${highest}; at least two labels are expected.`,
      {
        subject: train.file,
        found: 1,
        expected: 'at least 2',
      },
    );
  }
  const lowest = Math.min(...present, ...new Set(test.labels));
  checkTestLabels(test, lowest, highest);
  const labels = Array.from({ length: highest - lowest + 1 }, (_, index) => lowest + index);
  if (lowest > 0) {
    for (const part of [train.labels, test.labels]) {
      for (let index = 0; index < part.length; index++) part[index]! -= lowest;
    }
    log?.(
      `${train.file} has labels from ${lowest} to ${highest}; they are taken as ${labels.length} classes of these names.`,
    );
  }
  const missing = labels.filter((label) => !present.has(label)).map(String);
  if (missing.length > 0) {
    log?.(
      `${train.file} has no sample of ${listed(missing)}; what does not occur in training is never learnt.`,
    );
  }
  return labels.map(String);
}

function checkTestLabels({ labels, file }: LabelFile, lowest: number, highest: number): void {
  const index = labels.findIndex((label) => label > highest);
  if (index < 0) return;
  const found = labels[index]!;
  const expected = `${lowest} to ${highest}`;
  throw new TreadleError(
    'data',
    `${file} has the label ${found} (sample ${index}); ${expected} is expected, the training labels' range.`,
    { subject: file, found, expected },
  );
}
