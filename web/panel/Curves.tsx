import { useMemo } from 'preact/hooks';
import { Term } from '../app/Term.tsx';
import { Charts } from '../charts/Charts.tsx';
import { thinned } from '../charts/thinned.ts';
import type { Trainer } from './trainer.ts';
import { figure } from './words.ts';

/** The figures of the training that goes on, with those of the run before behind them. */
export function Curves({ trainer, task }: { trainer: Trainer; task: 'classification' | 'regression' }) {
  const epochs = trainer.epochs.value;
  const earlier = trainer.earlier.value;
  const best = trainer.best.value;
  const of = useMemo(
    () => ({
      kind: 'training' as const,
      task,
      epochs: thinned(epochs, best),
      best,
      earlier: thinned(earlier?.epochs ?? []),
    }),
    [task, epochs, best, earlier],
  );
  const last = epochs.at(-1);
  if (last === undefined) {
    return (
      <p class="note empty">Curves of the loss and of the figures are drawn here while the network trains.</p>
    );
  }
  return (
    <div class="curves">
      <dl class="latest">
        <div>
          <dt>
            <Term name="loss">Training loss</Term>
          </dt>
          <dd>{figure(last.trainLoss!)}</dd>
        </div>
        {last.valLoss !== undefined && (
          <div>
            <dt>
              <Term name="validation">Validation loss</Term>
            </dt>
            <dd>{figure(last.valLoss)}</dd>
          </div>
        )}
        {last.valAccuracy !== undefined && (
          <div>
            <dt>
              <Term name="accuracy">Validation accuracy</Term>
            </dt>
            <dd>{(100 * last.valAccuracy).toFixed(1)} %</dd>
          </div>
        )}
        {last.valR2 !== undefined && (
          <div>
            <dt>
              <Term name="r2">Validation R2</Term>
            </dt>
            <dd>{figure(last.valR2)}</dd>
          </div>
        )}
      </dl>
      <p class="note key">
        Dashed: training rows. Solid: <Term name="validation">validation</Term> rows.
        {best > 0 && ` Dot: the epoch whose weights are kept (${best}).`}
        {earlier !== null && (
          <>
            {' '}
            <span class="swatch" aria-hidden="true" /> Green: {earlier.name}.{' '}
            <button
              type="button"
              class="link"
              onClick={() => {
                trainer.earlier.value = null;
              }}
            >
              Take it away
            </button>
          </>
        )}
      </p>
      <Charts of={of} />
    </div>
  );
}
