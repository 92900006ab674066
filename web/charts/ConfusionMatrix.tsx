import { Scroll } from '../app/Scroll.tsx';
import { Term } from '../app/Term.tsx';
import './charts.css';
import { cellStrength } from 'treadle/charts';

interface Props {
  /** Rows: true classes; columns: what the model said. */
  confusion: readonly (readonly number[])[];
  classes: readonly string[];
  /** Called with the true and the said class of a cell that is pressed; left out: cells are no buttons. */
  onCell?: (actual: number, predicted: number) => void;
}

/** The report's confusion matrix, alive. */
export function ConfusionMatrix({ confusion, classes, onCell }: Props) {
  return (
    <Scroll label="Confusion matrix">
      <p class="note">
        <Term name="confusion">Confusion matrix</Term>. Rows: true class. Columns: what the model says. Blue:
        right. Orange: wrong.
      </p>
      <table class={`matrix${classes.length > 20 ? ' dense' : ''}`}>
        <thead>
          <tr>
            <th class="corner" scope="col">
              true ↓ said →
            </th>
            {classes.map((name) => (
              <th key={name} scope="col">
                <span>{name}</span>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {confusion.map((row, actual) => {
            const support = row.reduce((sum, count) => sum + count, 0);
            return (
              <tr key={classes[actual]}>
                <th scope="row">{classes[actual]}</th>
                {row.map((count, predicted) => {
                  const isHit = actual === predicted;
                  const strength = Math.round(100 * cellStrength(count, support, isHit));
                  const kind = [isHit && 'hit', count === 0 && 'none', strength > 0 && 'filled'];
                  return (
                    <td
                      key={classes[predicted]}
                      class={kind.filter(Boolean).join(' ')}
                      style={{ '--s': strength }}
                    >
                      {onCell ? (
                        <button
                          type="button"
                          aria-label={`${count} of ${classes[actual]} said to be ${classes[predicted]}`}
                          onClick={() => onCell(actual, predicted)}
                        >
                          {count}
                        </button>
                      ) : (
                        count
                      )}
                    </td>
                  );
                })}
              </tr>
            );
          })}
        </tbody>
      </table>
    </Scroll>
  );
}
