import { useEffect, useState } from 'preact/hooks';
import type { ExportFormat } from 'treadle';
import { download } from '../app/download.ts';
import { Problem } from '../app/Problem.tsx';
import { sentenceOf } from '../app/problems.ts';
import type { Room } from '../app/route.ts';
import { Scroll } from '../app/Scroll.tsx';
import { keep } from '../app/storage.ts';
import type { Setup } from './setup.ts';
import type { Subject, Trainer } from './trainer.ts';
import { fileName } from './words.ts';

/** What a room knows of the models that are saved in it. */
export interface Saving {
  room: Room;
  /** What models are called at first. */
  name: string;
  /** The room's own settings, for models that are kept. */
  address: () => string;
  /** The network's file with what else belongs into it, such as a table's encoder. */
  complete?: (bytes: Uint8Array<ArrayBuffer>) => Promise<Uint8Array<ArrayBuffer>>;
  /** That file as other programs read it; the network alone if it is not given. */
  exported?: (bytes: Uint8Array<ArrayBuffer>, format: ExportFormat) => Promise<Uint8Array<ArrayBuffer>>;
  /** Code that trains the same model in Node, or reads it from the file that is saved here. */
  code: (setup: Setup, file: string) => string;
}

/** Formats that are offered, with who reads them. */
const FORMATS: Readonly<Partial<Record<ExportFormat, string>>> = {
  safetensors: 'safetensors: treadle, PyTorch',
  onnx: 'ONNX: onnxruntime and many others',
  npz: 'npz: numpy',
  js: 'JavaScript module: no library needed',
};

interface Props {
  trainer: Trainer;
  subject: Subject | null;
  setup: Setup;
  saving: Saving;
}

/** The model as a file, kept in the browser, or as code for Node. */
export function SaveModel({ trainer, subject, setup, saving }: Props) {
  const [named, setName] = useState<string | null>(null);
  const [format, setFormat] = useState<ExportFormat>('safetensors');
  const [said, say] = useState<string | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const model = trainer.model.value;
  const name = named ?? trainer.opened?.name ?? saving.name;
  const called = name.trim() || saving.name;
  // What is said is said of one model.
  useEffect(() => {
    say(null);
    setProblem(null);
  }, [model]);
  const isReady = model !== null && ['done', 'stopped'].includes(trainer.state.value);

  /** The model's file, handed on; what goes wrong is shown here. */
  const withFile = async (action: (bytes: Uint8Array<ArrayBuffer>) => Promise<string>) => {
    setProblem(null);
    say(null);
    try {
      const bytes = (await model!.save()) as Uint8Array<ArrayBuffer>;
      say(await action(saving.complete ? await saving.complete(bytes) : bytes));
    } catch (error) {
      setProblem(sentenceOf(error));
    }
  };
  const asFile = () =>
    withFile(async (bytes) => {
      const { EXPORT_FORMATS, exportModel } = await import('./exporting.ts');
      const exported = saving.exported ?? exportModel;
      const content = format === 'safetensors' ? bytes : await exported(bytes, format);
      const file = `${fileName(called)}${EXPORT_FORMATS[format].extension}`;
      download(file, content as Uint8Array<ArrayBuffer>);
      return `${file} is saved.`;
    });
  const inBrowser = () =>
    withFile(async (bytes) => {
      // What is set by now may be of the next training.
      const making = trainer.making ?? { setup, address: saving.address() };
      const { epochs, best } = { epochs: trainer.epochs.value, best: trainer.best.value };
      await keep({ room: saving.room, name: called, task: subject!.task, ...making, epochs, best, bytes });
      return `${called} is kept in this browser, under “Kept models”.`;
    });

  return (
    <section class="saving" aria-labelledby="saving-title">
      <h3 id="saving-title">Take it away</h3>
      {!isReady && (
        <p class="note">
          When a model is trained, it can be saved here for other programs, and kept in this browser.
        </p>
      )}
      <div class="row">
        <label>
          Name
          <input
            type="text"
            value={name}
            maxLength={60}
            onInput={(event) => setName(event.currentTarget.value)}
          />
        </label>
        <label>
          Format
          <select value={format} onChange={(event) => setFormat(event.currentTarget.value as ExportFormat)}>
            {Object.entries(FORMATS).map(([key, title]) => (
              <option key={key} value={key}>
                {title}
              </option>
            ))}
          </select>
        </label>
        <button type="button" disabled={!isReady} onClick={() => void asFile()}>
          Save as a file
        </button>
        <button type="button" disabled={!isReady || subject === null} onClick={() => void inBrowser()}>
          Keep in this browser
        </button>
      </div>
      <p class="said" role="status">
        {said}
      </p>
      <Problem text={problem} />
      <details>
        <summary>As code for Node</summary>
        <Scroll label="Code" tall>
          <pre>
            <code>{saving.code(setup, `${fileName(called)}.safetensors`)}</code>
          </pre>
        </Scroll>
      </details>
    </section>
  );
}
