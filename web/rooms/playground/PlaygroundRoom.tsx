import { useEffect, useMemo, useState } from 'preact/hooks';
import { addressSettings, shareSettings } from '../../app/route.ts';
import { readSetup, writeSetup } from '../../panel/address.ts';
import { trainingCode } from '../../panel/code.ts';
import { blocks, type Setup } from '../../panel/setup.ts';
import { TrainingPanel } from '../../panel/TrainingPanel.tsx';
import { type Subject, Trainer } from '../../panel/trainer.ts';
import { drawPoints } from './points.ts';

const USUAL: Setup = {
  blocks: blocks([8, 8], { activation: 'tanh' }),
  optimizer: 'adamW',
  rate: 0.03,
  schedule: 'constant',
  batch: 0,
  epochs: 600,
  seed: 0,
};

/** Playground: points in the plane. */
export function PlaygroundRoom() {
  const trainer = useMemo(() => new Trainer(), []);
  const [setup, setSetup] = useState(() => readSetup(addressSettings(), USUAL));
  useEffect(() => {
    trainer.pace = 'frame';
    return () => trainer.dispose();
  }, [trainer]);
  useEffect(() => {
    const settings = new URLSearchParams();
    writeSetup(setup, USUAL, settings);
    shareSettings('playground', settings);
  }, [setup]);
  const subject = useMemo<Subject>(() => {
    const points = drawPoints({ set: 'moons', classes: 2, noise: 0.1, points: 300, seed: 0 });
    const part = (own: typeof points) => ({
      x: own.map(({ x, y }) => [x, y]),
      y: own.map(({ target }) => target),
    });
    return {
      task: 'classification',
      input: { features: 2, type: 'f32' },
      outputs: 2,
      samplesKey: 'moons',
      samples: () => ({ train: part(points.slice(0, 200)), validation: part(points.slice(200)), rows: 200 }),
    };
  }, []);
  return (
    <>
      <section class="lead">
        <h1>Playground</h1>
      </section>
      <TrainingPanel
        trainer={trainer}
        subject={subject}
        setup={setup}
        onSetup={setSetup}
        onUsual={() => setSetup(USUAL)}
        saving={{
          room: 'playground',
          name: 'moons',
          address: () => '',
          code: (own) =>
            trainingCode('const x = [], y = [], validation = { x: [], y: [] };', subject, subject.task, own),
        }}
      />
    </>
  );
}
