import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { WorkerModel } from 'treadle';
import type { Kind } from 'treadle/tables';
import { Problem } from '../../app/Problem.tsx';
import { sentenceOf } from '../../app/problems.ts';
import { addressSettings } from '../../app/route.ts';
import { readSetup, writeSetup } from '../../panel/address.ts';
import { blocks, type Setup } from '../../panel/setup.ts';
import { TrainingPanel } from '../../panel/TrainingPanel.tsx';
import { type Subject, Trainer } from '../../panel/trainer.ts';
import { useAddress, useKept } from '../../panel/use-kept.ts';
import { ChooseFile } from './ChooseFile.tsx';
import { Columns } from './Columns.tsx';
import { readingCode, tableCode } from './code.ts';
import { csvOptions } from './csv-marks.ts';
import { KIND_NAMES } from './kinds.ts';
import type { Judged, ReadyTable } from './messages.ts';
import { Predictions } from './Predictions.tsx';
import { Results } from './Results.tsx';
import { isSample } from './samples.ts';
import { useTable } from './use-table.ts';
import { WhatIf } from './WhatIf.tsx';
import './table.css';

const USUAL: Setup = {
  blocks: blocks([64, 32]),
  optimizer: 'adamW',
  rate: 0.01,
  schedule: 'cosine',
  batch: 0,
  epochs: 100,
  patience: 20,
  seed: 0,
};

/** Your table: a file, a column to predict, a model. */
export function TableRoom() {
  const trainer = useMemo(() => new Trainer(), []);
  useEffect(() => () => trainer.dispose(), [trainer]);
  const [setup, setSetup] = useState(() => readSetup(addressSettings(), USUAL));
  const [judged, setJudged] = useState<Judged | null>(null);
  const [judging, setJudging] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const judgement = useRef(0);
  /** What is known of a model is shown no more, nor what is still being found out. */
  const forget = () => {
    judgement.current++;
    setJudged(null);
    setJudging(false);
    setProblem(null);
  };
  // The table that each model was trained on: since then another seed may have been chosen.
  const trainedOn = useMemo(() => new WeakMap<WorkerModel, ReadyTable>(), []);
  const numberOf = (model: WorkerModel | null) => (model && trainedOn.get(model)?.number) ?? null;
  const data = useTable(
    setup.seed,
    () => {
      trainer.reset();
      forget();
    },
    () => numberOf(trainer.model.value),
  );
  const { client, table, chosen, ready, sample } = data;
  const current = useRef(ready);
  current.current = ready;
  useEffect(
    () =>
      trainer.model.subscribe((model) => {
        if (model !== null && current.current !== null && !trainedOn.has(model)) {
          trainedOn.set(model, current.current);
        }
      }),
    [trainer],
  );
  useEffect(
    () =>
      trainer.state.subscribe((state) => {
        if (state === 'starting') forget();
      }),
    [trainer],
  );
  const address = useMemo(() => {
    const settings = new URLSearchParams();
    if (sample !== null && chosen !== null) {
      settings.set('sample', sample);
      settings.set('target', chosen.target);
      const kinds = Object.entries(chosen.kinds);
      if (kinds.length > 0) settings.set('kinds', JSON.stringify(chosen.kinds));
    }
    writeSetup(setup, USUAL, settings);
    return settings;
  }, [sample, chosen, setup]);
  useAddress(trainer, 'table', address);
  useKept(trainer, 'table', async () => {
    const from = addressSettings();
    const [name, target] = [from.get('sample'), from.get('target')];
    if (!isSample(name)) return;
    await data.openSample(name, { ...(target !== null && { target }), kinds: readKinds(from.get('kinds')) });
  });
  useEffect(() => {
    trainer.onMoment = async (model) => {
      if (trainer.busy) return;
      const own = ++judgement.current;
      setJudging(true);
      setProblem(null);
      try {
        const { opened } = trainer;
        const bytes = opened?.bytes ?? ((await model.save()) as Uint8Array<ArrayBuffer>);
        const found = await client.judge(bytes, opened === null ? numberOf(model) : null);
        if (own === judgement.current) setJudged(found);
      } catch (error) {
        if (own === judgement.current) setProblem(sentenceOf(error));
      } finally {
        if (own === judgement.current) setJudging(false);
      }
    };
  }, [trainer, client]);
  const subject = useMemo<Subject | null>(() => {
    if (ready === null) return null;
    const { number, task, input, outputs, classes, train, validation, rows } = ready;
    return {
      task,
      input,
      outputs,
      ...(classes && { classes }),
      samplesKey: String(number),
      samples: () => ({ train, validation, rows: rows.train }),
    };
  }, [ready]);
  return (
    <>
      <section class="lead">
        <h1>Your table</h1>
        <p>
          Bring a table, say which column to predict, and train a model of it. Texts, dates and gaps are taken
          care of; the file stays on this machine.
        </p>
      </section>
      <ChooseFile
        name={table?.name ?? null}
        reading={data.reading}
        marks={data.marks}
        problem={data.readProblem}
        disabled={trainer.busy}
        onFile={(file) => void data.open(file)}
        onSample={(name) => void data.openSample(name)}
        onMarks={data.readWith}
      />
      {table !== null && chosen !== null && (
        <Columns
          table={table}
          chosen={chosen}
          ready={ready}
          problem={data.choiceProblem}
          disabled={trainer.busy || data.reading}
          onChoose={data.choose}
        />
      )}
      <TrainingPanel
        trainer={trainer}
        subject={subject}
        setup={setup}
        onSetup={setSetup}
        onUsual={() => setSetup(USUAL)}
        saving={{
          room: 'table',
          name:
            chosen === null || table === null
              ? 'model'
              : `${chosen.target} by ${table.name.replace(/\.\w+$/, '')}`,
          address: () => address.toString(),
          complete: async (bytes) =>
            trainer.opened?.bytes ?? client.complete(bytes, numberOf(trainer.model.value)!),
          exported: client.exported,
          code: (own, file) =>
            trainer.opened === null
              ? tableCode(table?.name ?? 'table.csv', chosen, csvOptions(data.marks), own)
              : readingCode(file),
        }}
      />
      <Problem text={problem} />
      {judging && (
        <p class="note" role="status">
          Measuring the model on the test rows…
        </p>
      )}
      {judged !== null && (
        <>
          {judged.tested && <Results {...judged.tested} />}
          <WhatIf judged={judged} client={client} />
          <Predictions
            client={client}
            csv={csvOptions(data.marks)}
            hasTest={judged.tested !== null}
            name={table?.name ?? 'table.csv'}
          />
        </>
      )}
    </>
  );
}

/** The kinds of columns in an address; what makes no sense is passed over. */
function readKinds(text: string | null): Record<string, Kind> {
  try {
    const given = Object.entries(JSON.parse(text ?? '{}') as Record<string, string>);
    return Object.fromEntries(given.filter(([, kind]) => Object.hasOwn(KIND_NAMES, kind))) as Record<
      string,
      Kind
    >;
  } catch {
    return {};
  }
}
