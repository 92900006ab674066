import { useState } from 'preact/hooks';
import { FileButton } from '../../app/FileButton.tsx';
import { Problem } from '../../app/Problem.tsx';
import { sentenceOf } from '../../app/problems.ts';
import { WEIGHTS } from './weights.ts';

interface Props {
  /** Takes the file over and says what came of it; rejects with a sentence. */
  onFile: (file: File) => Promise<string>;
}

/** A place to drop a photograph or weights on, or to choose them. */
export function Files({ onFile }: Props) {
  const [isOver, setOver] = useState(false);
  const [said, say] = useState<string | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const take = async (file: File | undefined) => {
    setOver(false);
    if (file === undefined) return;
    say(null);
    setProblem(null);
    try {
      say(await onFile(file));
    } catch (error) {
      setProblem(sentenceOf(error));
    }
  };
  return (
    <section
      aria-label="Files"
      class={`files${isOver ? ' over' : ''}`}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        void take(event.dataTransfer?.files[0]);
      }}
    >
      <p>
        <FileButton
          label="Choose a photograph or weights"
          accept={`image/*,${WEIGHTS}`}
          onFile={(file) => void take(file)}
        />{' '}
        <span>
          or drop it here: a garment, or what run-all made (.safetensors), or an ONNX, Keras or npz file.
        </span>
      </p>
      <p class="note" role="status">
        {said}
      </p>
      <Problem text={problem} />
    </section>
  );
}
