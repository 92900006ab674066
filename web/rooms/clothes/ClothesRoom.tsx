import { signal } from '@preact/signals';
import { useEffect, useMemo, useState } from 'preact/hooks';
import { Choice } from '../../app/Field.tsx';
import { Problem } from '../../app/Problem.tsx';
import { sentenceOf } from '../../app/problems.ts';
import { addressSettings } from '../../app/route.ts';
import { readSetup, writeSetup } from '../../panel/address.ts';
import { blocksIn } from '../../panel/setup.ts';
import { TrainingPanel } from '../../panel/TrainingPanel.tsx';
import { Trainer } from '../../panel/trainer.ts';
import { useAddress, useKept } from '../../panel/use-kept.ts';
import { Board } from './Board.tsx';
import { Files } from './Files.tsx';
import { loadClothes, SETS } from './images.ts';
import { Live } from './live.ts';
import { Matrix } from './Matrix.tsx';
import { Probabilities } from './Probabilities.tsx';
import { readPhotograph } from './photograph.ts';
import { MEASURED, readSettings, writeSettings } from './settings.ts';
import { blocksOf, clothesCode, NETWORKS, nameOf, subjectOf, USUAL } from './subject.ts';
import { nameOfWeights, openWeights } from './weights.ts';
import './clothes.css';

/** Clothes: Fashion-MNIST, and what one draws oneself. */
export function ClothesRoom() {
  const trainer = useMemo(() => new Trainer(), []);
  const live = useMemo(() => new Live(trainer), [trainer]);
  const problem = useMemo(() => signal<string | null>(null), []);
  const [setup, setSetup] = useState(() => readSetup(addressSettings(), USUAL));
  const [settings, set] = useState(() => readSettings(addressSettings()));
  const [image, setImage] = useState<Uint8Array | null>(null);
  useEffect(() => {
    trainer.onMoment = (model) => live.see(model);
    return () => trainer.dispose();
  }, [trainer, live]);
  useEffect(() => {
    let isCurrent = true;
    problem.value = null;
    loadClothes(settings.images).then(
      (clothes) => {
        if (isCurrent) void live.use(clothes[settings.measured]);
      },
      (error: unknown) => {
        if (isCurrent) problem.value = sentenceOf(error);
      },
    );
    return () => {
      isCurrent = false;
    };
  }, [live, problem, settings]);
  const address = useMemo(() => {
    const all = new URLSearchParams();
    writeSettings(settings, all);
    writeSetup(setup, USUAL, all);
    return all;
  }, [settings, setup]);
  useAddress(trainer, 'clothes', address);
  useKept(trainer, 'clothes');

  const subject = useMemo(() => subjectOf(settings.images), [settings.images]);
  const network = nameOf(setup.blocks);
  const takeFile = async (file: File): Promise<string> => {
    if (nameOfWeights(file.name) === null) {
      setImage(await readPhotograph(file));
      return `${file.name} is on the board: its middle, scaled, light on dark.`;
    }
    if (trainer.busy) throw new Error('A network is being trained; stop it before other weights are opened.');
    const spec = await openWeights(trainer, file);
    const own = blocksIn(spec);
    const given = spec.input.type === 'u8' ? '' : ' It takes numbers: pixels are given to it from 0 to 1.';
    if (own === null) {
      return `The model of ${file.name} is opened.${given} Its layers cannot be drawn up here: those below are of the next network.`;
    }
    setSetup((now) => ({ ...now, blocks: own }));
    return `The model of ${file.name} is opened.${given}`;
  };
  return (
    <>
      <section class="lead">
        <h1>Clothes</h1>
        <p>
          Small grey photographs of ten kinds of clothes: a network learns to tell them apart. Train one, see
          which kinds it mixes up, and draw something for it to name.
        </p>
      </section>
      <TrainingPanel
        trainer={trainer}
        subject={subject}
        setup={setup}
        onSetup={setSetup}
        onUsual={() => setSetup(USUAL)}
        saving={{
          room: 'clothes',
          name: network === 'own' ? 'clothes' : network,
          address: () => address.toString(),
          code: clothesCode,
        }}
      >
        <div class="fields clothes-fields">
          <Choice
            label="Images"
            options={SETS}
            value={settings.images}
            disabled={trainer.busy}
            onChange={(images) => set({ ...settings, images })}
          />
          <Choice
            label="Network"
            options={NETWORKS}
            value={network}
            disabled={trainer.busy}
            onChange={(name) => name !== 'own' && setSetup({ ...setup, blocks: blocksOf(name) })}
          />
          <Choice
            label="Matrix of"
            term="validation"
            options={MEASURED}
            value={settings.measured}
            onChange={(measured) => set({ ...settings, measured })}
          />
        </div>
        <Problem text={problem.value} />
        <section class="seeing" aria-labelledby="seeing-title">
          <h3 id="seeing-title">Which it mixes up</h3>
          <Matrix of={live.look} onChoose={setImage} />
        </section>
        <section class="asking" aria-labelledby="asking-title">
          <h3 id="asking-title">Draw something</h3>
          <div class="naming">
            <Board image={image} onSeen={(pixels, since) => live.ask(pixels, since)} />
            <Files onFile={takeFile} />
            <Probabilities
              of={live.drawn}
              took={live.took}
              nothing={
                trainer.model.value === null
                  ? 'Train a network first, or drop weights.'
                  : 'Draw, and the model says what it takes it for.'
              }
            />
          </div>
        </section>
      </TrainingPanel>
    </>
  );
}
