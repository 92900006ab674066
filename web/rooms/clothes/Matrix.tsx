import { CLASSES } from 'virtual:fashion-mnist';
import type { ReadonlySignal } from '@preact/signals';
import { useState } from 'preact/hooks';
import { ConfusionMatrix } from '../../charts/ConfusionMatrix.tsx';
import { CellImages } from './CellImages.tsx';
import type { Look } from './live.ts';

interface Props {
  /** Read here alone: each epoch changes this, and nothing else of the page. */
  of: ReadonlySignal<Look | null>;
  onChoose: (pixels: Uint8Array) => void;
}

/** The confusion matrix, and the images of the cell that was pressed. */
export function Matrix({ of, onChoose }: Props) {
  const [cell, setCell] = useState<readonly [number, number] | null>(null);
  const look = of.value;
  if (look === null) {
    return (
      <p class="note empty">What the model says of each kind of clothes is counted here after every epoch.</p>
    );
  }
  const { images, confusion, right } = look;
  return (
    <div class="mixed">
      <div>
        <ConfusionMatrix
          confusion={confusion}
          classes={CLASSES}
          onCell={(actual, predicted) => setCell([actual, predicted])}
        />
        <p class="note">
          {right.toLocaleString('en')} of {images.count.toLocaleString('en')} images are named rightly:{' '}
          {((100 * right) / images.count).toFixed(1)} %.
        </p>
      </div>
      {cell === null ? (
        <p class="note empty">Press a number to see its images.</p>
      ) : (
        <CellImages look={look} actual={cell[0]} predicted={cell[1]} onChoose={onChoose} />
      )}
    </div>
  );
}
