import { trainingCode } from '../../panel/code.ts';
import type { Setup } from '../../panel/setup.ts';
import type { Subject } from '../../panel/trainer.ts';
import { isRegression, type Point, type PointsSetup } from './points.ts';
import { outputsOf } from './settings.ts';

const part = (points: readonly Point[]) => ({
  x: Float32Array.from(points.flatMap(({ x, y }) => [x, y])),
  y: points.map(({ target }) => target),
});

/** What the playground trains: two coordinates in, a share for each class or a number out. */
export function subjectOf(setup: PointsSetup, train: readonly Point[], test: readonly Point[]): Subject {
  return {
    task: isRegression(setup.set) ? 'regression' : 'classification',
    input: { features: 2, type: 'f32' },
    outputs: outputsOf(setup),
    samplesKey: JSON.stringify([setup, setup.set === 'own' && train]),
    isEmpty: train.length === 0,
    samples: () => ({ train: part(train), validation: part(test), rows: train.length }),
  };
}

/** Code that trains the same network on the same points. */
export function playgroundCode(
  subject: Subject,
  train: readonly Point[],
  test: readonly Point[],
  setup: Setup,
): string {
  const rows = (points: readonly Point[]) =>
    points.map(({ x, y, target }) => `${x},${y},${target}`).join(' ');
  const before = `
// Points as x,y,target.
const read = (text) => {
  const rows = text.split(' ').map((row) => row.split(',').map(Number));
  return { x: rows.map(([a, b]) => [a, b]), y: rows.map(([, , target]) => target) };
};
const { x, y } = read('${rows(train)}');
const validation = read('${rows(test)}');`;
  return trainingCode(before, subject, subject.task, setup);
}
