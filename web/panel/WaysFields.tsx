import { Choice, NumberBox } from '../app/Field.tsx';
import { LIMITS, OPTIMIZERS, SCHEDULES, type Setup } from './setup.ts';

/** Optimiser, rate and its schedule, batch, epochs, seed. */
export function WaysFields({
  setup,
  disabled,
  onChange,
}: {
  setup: Setup;
  disabled: boolean;
  onChange: (setup: Setup) => void;
}) {
  const set = (part: Partial<Setup>) => onChange({ ...setup, ...part });
  return (
    <div class="fields">
      <Choice
        label="Optimiser"
        term="optimizer"
        options={OPTIMIZERS}
        value={setup.optimizer}
        disabled={disabled}
        onChange={(optimizer) => set({ optimizer })}
      />
      <NumberBox
        label="Learning rate"
        term="rate"
        value={setup.rate}
        least={0.000001}
        most={10}
        step="any"
        disabled={disabled}
        onChange={(rate) => set({ rate })}
      />
      <Choice
        label="Schedule"
        term="schedule"
        options={SCHEDULES}
        value={setup.schedule}
        disabled={disabled}
        onChange={(schedule) => set({ schedule })}
      />
      <NumberBox
        label="Epochs"
        term="epoch"
        value={setup.epochs}
        least={1}
        most={LIMITS.epochs}
        disabled={disabled}
        onChange={(epochs) => set({ epochs })}
      />
      <NumberBox
        label="Patience (0: none)"
        term="patience"
        value={setup.patience}
        least={0}
        most={LIMITS.epochs}
        disabled={disabled}
        onChange={(patience) => set({ patience })}
      />
      <NumberBox
        label="Batch (0: auto)"
        term="batch"
        value={setup.batch}
        least={0}
        most={LIMITS.batch}
        disabled={disabled}
        onChange={(batch) => set({ batch })}
      />
      <NumberBox
        label="Seed"
        term="seed"
        value={setup.seed}
        least={0}
        most={LIMITS.seed}
        disabled={disabled}
        onChange={(seed) => set({ seed })}
      />
    </div>
  );
}
