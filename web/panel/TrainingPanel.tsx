import type { ComponentChildren } from 'preact';
import { Controls } from './Controls.tsx';
import { Curves } from './Curves.tsx';
import { LayersEditor } from './LayersEditor.tsx';
import { NetworkPicture } from './NetworkPicture.tsx';
import { SaveModel, type Saving } from './SaveModel.tsx';
import type { Setup } from './setup.ts';
import type { Subject, Trainer } from './trainer.ts';
import { WaysFields } from './WaysFields.tsx';
import '../style/panel.css';

interface Props {
  trainer: Trainer;
  /** What is trained; null while there is nothing to train on. */
  subject: Subject | null;
  setup: Setup;
  onSetup: (setup: Setup) => void;
  /** Puts the room's own way back. */
  onUsual: () => void;
  saving: Saving;
  /** Of the room: stands above. */
  children?: ComponentChildren;
}

/** The part that all rooms share: how the network is made, how it is trained, how that goes, and the model itself. */
export function TrainingPanel({ trainer, subject, setup, onSetup, onUsual, saving, children }: Props) {
  const { busy } = trainer;
  return (
    <section class="training" aria-labelledby="training-title">
      <h2 id="training-title" class="unseen">
        Train
      </h2>
      {children}
      <div class="making">
        <div class="network">
          <h3>The network</h3>
          <NetworkPicture
            inputs={subject?.input.features ?? null}
            outputs={subject?.outputs ?? null}
            setup={setup}
          />
          <LayersEditor
            blocks={setup.blocks}
            disabled={busy}
            onChange={(blocks) => onSetup({ ...setup, blocks })}
          />
        </div>
        <div class="ways">
          <h3>How it learns</h3>
          <WaysFields setup={setup} disabled={busy} onChange={onSetup} />
          <button type="button" class="quiet" disabled={busy} onClick={onUsual}>
            Back to the defaults
          </button>
        </div>
      </div>
      <Controls trainer={trainer} subject={subject} setup={setup} address={saving.address} />
      <Curves trainer={trainer} task={subject?.task ?? 'classification'} />
      <SaveModel trainer={trainer} subject={subject} setup={setup} saving={saving} />
    </section>
  );
}
