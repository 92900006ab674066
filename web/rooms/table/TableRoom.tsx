import { useEffect, useMemo, useState } from 'preact/hooks';
import type { Kind } from 'treadle/tables';
import { Problem } from '../../app/Problem.tsx';
import { sentenceOf } from '../../app/problems.ts';
import { addressSettings, shareSettings } from '../../app/route.ts';
import { readSetup, writeSetup } from '../../panel/address.ts';
import { blocks, type Setup } from '../../panel/setup.ts';
import { TrainingPanel } from '../../panel/TrainingPanel.tsx';
import { type Subject, Trainer } from '../../panel/trainer.ts';
import { useKept } from '../../panel/use-kept.ts';
import { ChooseFile } from './ChooseFile.tsx';
import { Columns, KIND_NAMES } from './Columns.tsx';
import { readingCode, tableCode } from './code.ts';
import { csvOptions } from './csv-marks.ts';
import type { Judged } from './messages.ts';
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
  const data = useTable(setup.seed, () => {
    trainer.reset();
    setJudged(null);
    setProblem(null);
  });
  const { client, table, chosen, ready, sample } = data;
  useEffect(() => {
    const from = addressSettings();
    const name = from.get('sample');
    const target = from.get('target');
    if (isSample(name) && !from.has('kept')) {
      void data.openSample(name, { ...(target !== null && { target }), kinds: readKinds(from.get('kinds')) });
    }
  }, []);
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
  useEffect(() => shareSettings('table', address), [address]);
  useKept(trainer, 'table', setSetup);
  useEffect(() => {
    trainer.onMoment = async (model) => {
      if (trainer.busy) return;
      setJudging(true);
      setProblem(null);
      try {
        const { opened } = trainer;
        const bytes = opened?.bytes ?? ((await model.save()) as Uint8Array<ArrayBuffer>);
        setJudged(await client.judge(bytes, opened !== null));
      } catch (error) {
        setProblem(sentenceOf(error));
      } finally {
        setJudging(false);
      }
    };
  }, [trainer, client]);
  const subject = useMemo<Subject | null>(() => {
    if (ready === null) return null;
    const { task, input, outputs, classes, train, validation, rows } = ready;
    return {
      task,
      input,
      outputs,
      ...(classes && { classes }),
      samplesKey: String(readyNumber(ready)),
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
          disabled={trainer.busy}
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
          complete: client.complete,
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
          {judged.assessment !== null && (
            <Results assessment={judged.assessment} importance={judged.importance} />
          )}
          <WhatIf judged={judged} client={client} />
          <Predictions
            client={client}
            csv={csvOptions(data.marks)}
            hasTest={judged.assessment !== null}
            name={table?.name ?? 'table.csv'}
          />
        </>
      )}
    </>
  );
}

const numbers = new WeakMap<object, number>();
let next = 1;
/** A number for each table that was made ready: other samples are handed to the worker anew. */
function readyNumber(ready: object): number {
  if (!numbers.has(ready)) numbers.set(ready, next++);
  return numbers.get(ready)!;
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
