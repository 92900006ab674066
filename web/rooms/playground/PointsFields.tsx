import { Choice, NumberBox, Slider } from '../../app/Field.tsx';
import { CLASS_NAMES, CLASS_ROLES } from './colours.ts';
import { isRegression, type PointsSetup, SETS } from './points.ts';
import { MOST_CLASSES, MOST_POINTS } from './settings.ts';

interface Props {
  points: PointsSetup;
  brush: number;
  disabled: boolean;
  onPoints: (points: PointsSetup) => void;
  onBrush: (brush: number) => void;
  onClear: () => void;
}

const CLASSES = Object.fromEntries(
  Array.from({ length: MOST_CLASSES - 1 }, (_, at) => [String(at + 2), String(at + 2)]),
);

/** Which points are drawn; of one's own, in which colour. */
export function PointsFields({ points, brush, disabled, onPoints, onBrush, onClear }: Props) {
  const set = (part: Partial<PointsSetup>) => onPoints({ ...points, ...part });
  const isOwn = points.set === 'own';
  return (
    <div class="fields points">
      <Choice
        label="Points"
        options={SETS}
        value={points.set}
        disabled={disabled}
        onChange={(name) => set({ set: name })}
      />
      {!isRegression(points.set) && (
        <Choice
          label="Classes"
          options={CLASSES}
          value={String(points.classes)}
          disabled={disabled}
          onChange={(classes) => set({ classes: Number(classes) })}
        />
      )}
      {isOwn ? (
        <fieldset class="brushes">
          <legend>Paint with</legend>
          {CLASS_ROLES.slice(0, points.classes).map((role, at) => (
            <label key={role}>
              <input
                type="radio"
                name="brush"
                checked={brush === at}
                disabled={disabled}
                onChange={() => onBrush(at)}
              />
              <span class="dot" style={{ background: `var(--${role})` }} />
              {CLASS_NAMES[at]}
            </label>
          ))}
          <button type="button" class="quiet" disabled={disabled} onClick={onClear}>
            Wipe all
          </button>
        </fieldset>
      ) : (
        <>
          <Slider
            label="Noise"
            term="noise"
            value={points.noise}
            least={0}
            most={0.5}
            step={0.01}
            shown={points.noise.toFixed(2)}
            disabled={disabled}
            onChange={(noise) => set({ noise })}
          />
          <Slider
            label="How many"
            value={points.points}
            least={20}
            most={MOST_POINTS}
            step={20}
            shown={String(points.points)}
            disabled={disabled}
            onChange={(count) => set({ points: count })}
          />
          <NumberBox
            label="Drawn by"
            term="seed"
            value={points.seed}
            least={0}
            most={1_000_000_000}
            disabled={disabled}
            onChange={(seed) => set({ seed })}
          />
        </>
      )}
    </div>
  );
}
