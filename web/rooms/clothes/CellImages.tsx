import { CLASSES } from 'virtual:fashion-mnist';
import { useMemo } from 'preact/hooks';
import { PIXELS } from './images.ts';
import type { Look } from './live.ts';
import { Picture } from './Picture.tsx';

/** Images that are shown of a cell at most. */
const MOST = 48;

interface Props {
  look: Look;
  actual: number;
  predicted: number;
  /** Called with an image that is pressed. */
  onChoose: (pixels: Uint8Array) => void;
}

/** The images of a cell of the matrix, those first of which the model is surest. */
export function CellImages({ look, actual, predicted, onChoose }: Props) {
  const found = useMemo(() => {
    const sure = (row: number) => look.probabilities[row * CLASSES.length + predicted]!;
    const rows: number[] = [];
    for (let row = 0; row < look.images.count; row++) {
      if (look.images.y[row] === actual && look.said[row] === predicted) rows.push(row);
    }
    return rows.sort((a, b) => sure(b) - sure(a)).map((row) => ({ row, sure: sure(row) }));
  }, [look, actual, predicted]);
  const isRight = actual === predicted;
  const said = isRight ? 'rightly said to be' : `said to be ${CLASSES[predicted]}, and in truth`;
  return (
    <section class="cell" aria-live="polite" aria-label="Images of the cell">
      <h4>
        {CLASSES[actual]}
        {isRight ? ', rightly said' : `, said to be ${CLASSES[predicted]}`}
      </h4>
      <p class="note">
        {found.length === 0
          ? 'No image is in this cell now.'
          : `${found.length} ${found.length === 1 ? 'image' : 'images'}, the surest ${isRight ? '' : 'mistakes '}first${
              found.length > MOST ? `; ${MOST} are shown` : ''
            }. Press one to put it on the drawing board.`}
      </p>
      <ul class="images">
        {found.slice(0, MOST).map(({ row, sure }) => {
          const pixels = look.images.x.subarray(row * PIXELS, (row + 1) * PIXELS);
          return (
            <li key={row}>
              <button type="button" onClick={() => onChoose(pixels.slice())}>
                <Picture pixels={pixels} label={`Image ${row + 1}, ${said} ${CLASSES[actual]}`} />
                <span>{(100 * sure).toFixed(sure > 0.999 ? 2 : 1)} %</span>
              </button>
            </li>
          );
        })}
      </ul>
    </section>
  );
}
