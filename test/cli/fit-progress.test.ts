import { expect, it } from 'vitest';
import { fitShow } from '../../dist/cli/fit-progress.js';

it('a training is shown by its epoch, its losses and its time', () => {
  let now = 0;
  const show = fitShow(3, () => now);
  expect(show.lines(80)).toEqual(['epoch 1/3  elapsed 0:00']);
  show.hear({ epoch: 1, seconds: 1, trainLoss: 0.7, valLoss: 0.5 });
  show.hear({ epoch: 2, seconds: 1, trainLoss: 0.6, valLoss: 0.625 });
  now = 61_000;
  expect(show.lines(80)).toEqual(['epoch 3/3  val loss 0.6250  best 0.5000 in epoch 1  elapsed 1:01']);
  show.hear({ epoch: 3, seconds: 1, trainLoss: 0.5 });
  expect(show.lines(80)).toEqual(['epoch 3/3  best 0.5000 in epoch 1  elapsed 1:01']);
});
