import { figure } from '../results/format.js';
import type { EpochFigures } from '../train/loop.js';
import { clock, fitted } from './progress.js';
import { type Show, textView } from './terminal.js';

/** What is shown of one training of at most so many epochs; `now` tells the time in milliseconds. */
export function fitShow(epochs: number, now: () => number): Show<EpochFigures> {
  const started = now();
  let epoch = 0;
  let loss: number | null = null;
  let best: { epoch: number; loss: number } | null = null;
  return {
    hear(figures) {
      epoch = figures.epoch;
      loss = figures.valLoss ?? null;
      if (loss !== null && !(loss >= (best?.loss ?? Number.POSITIVE_INFINITY))) best = { epoch, loss };
    },
    line: () => null,
    lasting: () => null,
    lines(width) {
      const parts = [
        `epoch ${Math.min(epoch + 1, epochs)}/${epochs}`,
        ...(loss === null ? [] : [`val loss ${figure(loss)}`]),
        ...(best === null ? [] : [`best ${figure(best.loss)} in epoch ${best.epoch}`]),
        `elapsed ${clock((now() - started) / 1000)}`,
      ];
      return [fitted(parts, width)];
    },
  };
}

/** Trains with a live line on a terminal, which is gone at the end; elsewhere, and with null for the epochs, nothing is shown. */
export async function withFitLine<T>(
  epochs: number | null,
  train: (onEpoch: (figures: EpochFigures) => void) => Promise<T>,
): Promise<T> {
  if (epochs === null) return train(() => {});
  const view = textView(fitShow(epochs, () => performance.now()));
  try {
    return await train(view.event);
  } finally {
    view.close();
  }
}
