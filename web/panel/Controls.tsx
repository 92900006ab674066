import type { Setup } from './setup.ts';
import type { State, Subject, Trainer } from './trainer.ts';
import { duration } from './words.ts';

const STATES: Readonly<Record<State, string>> = {
  idle: 'Ready',
  starting: 'Getting ready',
  training: 'Training',
  paused: 'Paused',
  done: 'Trained',
  stopped: 'Stopped',
  failed: 'Could not be trained',
};

/** Train, pause, resume, stop; and how far it is. */
export function Controls({
  trainer,
  subject,
  setup,
  address,
}: {
  trainer: Trainer;
  subject: Subject | null;
  setup: Setup;
  address: () => string;
}) {
  const state = trainer.state.value;
  const { epoch, speed, left } = trainer.progress.value;
  const isOn = ['starting', 'training', 'paused'].includes(state);
  return (
    <div class="controls">
      <div class="buttons">
        {!isOn && (
          <button
            type="button"
            class="main"
            disabled={subject === null}
            onClick={() => subject && void trainer.train(subject, setup, address())}
          >
            {state === 'idle' ? 'Train' : 'Train anew'}
          </button>
        )}
        {(state === 'training' || state === 'starting') && (
          <button type="button" class="main" disabled={state === 'starting'} onClick={() => trainer.pause()}>
            Pause
          </button>
        )}
        {state === 'paused' && (
          <button type="button" class="main" onClick={() => trainer.resume()}>
            Resume
          </button>
        )}
        {isOn && (
          <button type="button" onClick={() => void trainer.stop()}>
            Stop
          </button>
        )}
      </div>
      <div class="progress">
        <progress
          aria-label="Epochs trained"
          max={setup.epochs}
          value={state === 'done' ? setup.epochs : Math.min(epoch, setup.epochs)}
        />
        <p>
          <strong role="status">{STATES[state]}</strong>
          {epoch > 0 && (
            <span>
              epoch {epoch.toLocaleString('en')} of {setup.epochs.toLocaleString('en')}
            </span>
          )}
          {speed > 0 && <span>{Math.round(speed).toLocaleString('en')} rows a second</span>}
          {state === 'training' && left !== null && <span>{duration(left)} left</span>}
        </p>
      </div>
    </div>
  );
}
