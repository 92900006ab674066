import { useMemo } from 'preact/hooks';
import type { Assessment, Importance } from 'treadle/tables';
import { Scroll } from '../../app/Scroll.tsx';
import { Term } from '../../app/Term.tsx';
import type { TermName } from '../../app/terms.ts';
import { Charts } from '../../charts/Charts.tsx';
import { ConfusionMatrix } from '../../charts/ConfusionMatrix.tsx';
import type { ChartsOf } from '../../charts/messages.ts';
import { counted, figure } from '../../panel/words.ts';

/** The figures of each task, in the order that they are shown in. */
const FIGURES: Readonly<Record<Assessment['task'], readonly (readonly [TermName, string])[]>> = {
  classification: [
    ['accuracy', 'Accuracy'],
    ['macroF1', 'Macro-F1'],
    ['rocAuc', 'ROC AUC'],
    ['logLoss', 'Log loss'],
  ],
  regression: [
    ['r2', 'R2'],
    ['rmse', 'RMSE'],
    ['mae', 'MAE'],
  ],
};

/** How well a model does on rows that it has not seen, and which columns matter. */
export function Results({ assessment, importance }: { assessment: Assessment; importance: Importance }) {
  const { scores, intervals, rows } = assessment;
  const values = (scores.task === 'classification'
    ? { ...scores, macroF1: scores.macro.f1 }
    : scores) as unknown as Readonly<Record<string, number>>;
  const of = useMemo<ChartsOf>(
    () =>
      assessment.task === 'classification'
        ? { kind: 'classes', assessment }
        : { kind: 'numbers', assessment },
    [assessment],
  );
  return (
    <section aria-labelledby="results-title">
      <h2 id="results-title">How good it is</h2>
      <p>
        On {counted(rows, 'row')} that the model has not seen. Below each figure:{' '}
        <Term name="interval">where it lies with 95 %</Term>.
      </p>
      <dl class="headline">
        {FIGURES[assessment.task]
          .filter(([key]) => Number.isFinite(values[key]))
          .map(([key, title]) => (
            <div key={key}>
              <dt>
                <Term name={key}>{title}</Term>
              </dt>
              <dd>{figure(values[key]!)}</dd>
              {intervals[key] && (
                <dd class="against">
                  {figure(intervals[key]!.low)} to {figure(intervals[key]!.high)}
                </dd>
              )}
            </div>
          ))}
      </dl>
      {scores.task === 'classification' && assessment.task === 'classification' && (
        <ConfusionMatrix confusion={scores.confusion} classes={assessment.classes} />
      )}
      <Charts of={of} />
      <ImportanceBars importance={importance} />
    </section>
  );
}

function ImportanceBars({ importance: { rows, repeats, columns } }: { importance: Importance }) {
  const most = columns.reduce((largest, { loss }) => Math.max(largest, loss), 0);
  return (
    <Scroll label="Which columns matter" tall>
      <table class="figures bars">
        <caption>
          <h3>Which columns matter</h3>
          <Term name="importance">Importance</Term>: how much the loss grows without the column. Measured on{' '}
          {counted(rows, 'row')}, its cells shuffled {repeats === 1 ? 'once' : `${repeats} times`}.
        </caption>
        <thead>
          <tr>
            <th scope="col" class="name">
              Column
            </th>
            <th scope="col">Loss</th>
            <th scope="col">
              <span class="unseen">As a bar</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {columns.map(({ column, loss }) => (
            <tr key={column}>
              <th scope="row">{column}</th>
              <td>{figure(loss)}</td>
              <td class="bar">
                <span style={{ width: `${most > 0 ? Math.max(0, (100 * loss) / most).toFixed(1) : 0}%` }} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}
