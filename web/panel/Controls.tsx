import { useEffect } from 'preact/hooks';
import { useFocusKept } from '../app/focus.ts';
import { Problem } from '../app/Problem.tsx';
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

/** Train, pause, resume, stop; how far it is, and what went wrong. */
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
  const place = useFocusKept<HTMLDivElement>('button');
  useEffect(() => {
    if (!isOn) return;
    // The browser asks whether the page is to be left.
    const ask = (event: Event) => event.preventDefault();
    addEventListener('beforeunload', ask);
    return () => removeEventListener('beforeunload', ask);
  }, [isOn]);
  const press = () => {
    if (state === 'training') trainer.pause();
    else if (state === 'paused') trainer.resume();
    else if (subject !== null) void trainer.train(subject, setup, address());
  };
  return (
    <div class="controls">
      <Problem text={trainer.problem.value} />
      {trainer.problem.value !== null && trainer.kept.value !== null && trainer.model.value === null && (
        <p class="note">
          <a href="#/kept">See the kept models</a>
        </p>
      )}
      <div class="buttons" ref={place}>
        {/* One button, so that it stays in focus; for the same reason it is not disabled while a training starts. */}
        <button
          type="button"
          class="main"
          disabled={!isOn && (subject === null || subject.isEmpty)}
          aria-disabled={state === 'starting'}
          onClick={press}
        >
          {state === 'paused' ? 'Resume' : isOn ? 'Pause' : state === 'idle' ? 'Train' : 'Train anew'}
        </button>
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
