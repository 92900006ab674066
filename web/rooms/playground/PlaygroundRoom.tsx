import { useEffect, useMemo, useState } from 'preact/hooks';
import { addressSettings } from '../../app/route.ts';
import { Term } from '../../app/Term.tsx';
import { readSetup, writeSetup } from '../../panel/address.ts';
import { blocks, type Setup } from '../../panel/setup.ts';
import { TrainingPanel } from '../../panel/TrainingPanel.tsx';
import { Trainer } from '../../panel/trainer.ts';
import { useAddress, useKept } from '../../panel/use-kept.ts';
import { Live } from './live.ts';
import { OneStep } from './OneStep.tsx';
import { Plane } from './Plane.tsx';
import { PointsFields } from './PointsFields.tsx';
import { isRegression, type Point, SETS } from './points.ts';
import { MOST_OWN, placed, readPoints, splitPoints, writePoints } from './settings.ts';
import { playgroundCode, subjectOf } from './subject.ts';
import { Units } from './Units.tsx';
import './playground.css';

const USUAL: Setup = {
  blocks: blocks([8, 8], { activation: 'tanh' }),
  optimizer: 'adamW',
  rate: 0.02,
  schedule: 'cosine',
  batch: 0,
  epochs: 400,
  patience: 0,
  seed: 0,
};

/** Playground: points in the plane, and a network that learns them before one's eyes. */
export function PlaygroundRoom() {
  const trainer = useMemo(() => new Trainer(), []);
  const live = useMemo(() => new Live(trainer), [trainer]);
  const [setup, setSetup] = useState(() => readSetup(addressSettings(), USUAL));
  const [{ setup: points, own }, setPoints] = useState(() => readPoints(addressSettings()));
  const [brush, setBrush] = useState(0);
  const [showsTest, showTest] = useState(false);
  useEffect(() => {
    trainer.pace = 'frame';
    trainer.onMoment = (model) => live.look(model, !trainer.busy);
    return () => trainer.dispose();
  }, [trainer, live]);
  const address = useMemo(() => {
    const settings = new URLSearchParams();
    writePoints(points, own, settings);
    writeSetup(setup, USUAL, settings);
    return settings;
  }, [points, own, setup]);
  useAddress(trainer, 'playground', address);
  useKept(trainer, 'playground');

  const { train, test } = useMemo(() => splitPoints(points, own), [points, own]);
  const subject = useMemo(() => subjectOf(points, train, test), [points, train, test]);
  /** Other points: what was learnt of the ones before is put away. */
  const change = (next: { setup: typeof points; own: Point[] }) => {
    if (next.setup.set !== points.set || next.setup.classes !== points.classes) {
      trainer.reset();
      live.clear();
    }
    setPoints(next);
  };
  const isNumber = isRegression(points.set);
  const isOwn = points.set === 'own';
  // A few of one's own are both learnt from and tested on.
  const count = train.length + (isOwn && test !== train ? test.length : 0);
  const unit = live.shown.value;
  return (
    <>
      <section class="lead">
        <h1>Playground</h1>
        <p>
          A network learns to tell the colours of points from where they lie. Choose a set or paint your own,
          press Train, and watch what it comes to believe of every place in the plane.
        </p>
      </section>
      <TrainingPanel
        trainer={trainer}
        subject={subject}
        setup={setup}
        onSetup={setSetup}
        onUsual={() => setSetup(USUAL)}
        saving={{
          room: 'playground',
          name: SETS[points.set],
          address: () => address.toString(),
          code: (mine) => playgroundCode(subject, train, test, mine),
        }}
      >
        <div class="stage">
          <div class="seen">
            <Plane
              surface={live.surface}
              train={train}
              test={test}
              showsTest={showsTest || isOwn}
              isNumber={isNumber}
              onPaint={
                isOwn && !trainer.busy
                  ? (x, y) =>
                      // Two points may come before the page is drawn anew.
                      setPoints((now) =>
                        now.own.length < MOST_OWN
                          ? {
                              ...now,
                              own: [
                                ...now.own,
                                placed({ x, y, target: Math.min(brush, now.setup.classes - 1) }),
                              ],
                            }
                          : now,
                      )
                  : null
              }
              label={`${count} points in the plane.`}
            />
            <p class="note below">
              {unit !== null ? (
                `Unit ${unit.unit + 1} of layer ${unit.block + 1}: blue where it gives much, orange where it gives less than nothing.`
              ) : isOwn && own.length === 0 ? (
                'Paint points here: choose a colour, press and draw.'
              ) : (
                <>
                  {live.isSeen.value && (
                    <>
                      The coloured ground is the <Term name="surface">decision surface</Term>.{' '}
                    </>
                  )}
                  {isOwn && 'Rings: every fourth point of a colour, to test on.'}
                </>
              )}
            </p>
          </div>
          <div class="beside">
            <PointsFields
              points={points}
              brush={Math.min(brush, points.classes - 1)}
              disabled={trainer.busy}
              onPoints={(next) => change({ setup: next, own })}
              onBrush={setBrush}
              onClear={() => change({ setup: points, own: [] })}
            />
            {!isOwn && (
              <label class="check">
                <input
                  type="checkbox"
                  checked={showsTest}
                  onChange={(event) => showTest(event.currentTarget.checked)}
                />
                Show the {test.length} test points, as rings
              </label>
            )}
            <Units of={live.units} onShow={(next) => void live.show(next)} />
          </div>
        </div>
      </TrainingPanel>
      <OneStep points={train} outputs={subject.outputs} isNumber={isNumber} />
    </>
  );
}
