import { useEffect, useState } from 'preact/hooks';
import { download } from '../../app/download.ts';
import { useFocusKept } from '../../app/focus.ts';
import { Problem } from '../../app/Problem.tsx';
import { sentenceOf } from '../../app/problems.ts';
import { ROOMS } from '../../app/route.ts';
import { forget, type Kept, kept, listKept } from '../../app/storage.ts';
import { figure, fileName } from '../../panel/words.ts';

/** The models that are kept in this browser: opened in their room, saved as files, deleted. */
export function KeptRoom() {
  const [problem, setProblem] = useState<string | null>(null);
  const [isListed, setListed] = useState(false);
  const place = useFocusKept<HTMLElement>('li .quiet', 'h1');
  useEffect(() => {
    listKept()
      .catch((error: unknown) => setProblem(sentenceOf(error)))
      .finally(() => setListed(true));
  }, []);
  return (
    <section class="lead" ref={place}>
      <h1 tabIndex={-1}>Kept models</h1>
      <p>Models that you have kept. They are in this browser’s own storage, and nowhere else.</p>
      <Problem text={problem} />
      {isListed && kept.value.length === 0 && problem === null && (
        <p class="note empty">
          None yet: train a model in one of the rooms, and choose “Keep in this browser”.
        </p>
      )}
      {kept.value.length > 0 && (
        <ul class="kept">
          {kept.value.map((model) => (
            <KeptModel key={model.id} model={model} onProblem={setProblem} />
          ))}
        </ul>
      )}
    </section>
  );
}

function KeptModel({ model, onProblem }: { model: Kept; onProblem: (text: string) => void }) {
  const { id, room, name, time, epochs, best, bytes, address } = model;
  const at = epochs[best - 1] ?? epochs.at(-1);
  const separator = address === '' ? '' : '&';
  return (
    <li>
      <h2>{name}</h2>
      <p class="note">
        {ROOMS[room]} · {new Date(time).toLocaleString('en', { dateStyle: 'medium', timeStyle: 'short' })} ·{' '}
        {epochs.length > 0 ? `${epochs.length} epochs` : 'epochs unknown'}
        {at?.valAccuracy !== undefined &&
          ` · ${(100 * at.valAccuracy).toFixed(1)} % of validation rows right`}
        {at?.valR2 !== undefined && ` · validation R2 ${figure(at.valR2)}`}
      </p>
      <p class="buttons">
        <a class="button" href={`#/${room}?${address}${separator}kept=${id}`}>
          Open<span class="unseen"> {name}</span>
        </a>
        <button type="button" onClick={() => download(`${fileName(name)}.safetensors`, bytes)}>
          Save as a file<span class="unseen">: {name}</span>
        </button>
        <button
          type="button"
          class="quiet"
          onClick={() => void forget(id).catch((error: unknown) => onProblem(sentenceOf(error)))}
        >
          Delete<span class="unseen"> {name}</span>
        </button>
      </p>
    </li>
  );
}
