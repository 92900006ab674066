'use client';
import { useState } from 'react';
import { createModel, mlp } from 'treadle';

const x = Array.from({ length: 1000 }, (_, i) => [i / 50 - 10]);
const y = x.map(([value]) => value * Math.sin(value));

export default function Page() {
  const [said, setSaid] = useState('');
  const [busy, setBusy] = useState(false);

  async function train() {
    setBusy(true);
    const model = await createModel(mlp({ inputs: 1, hidden: [128, 128], outputs: 1 }), { worker: true });
    await model.fit(
      { x, y },
      {
        epochs: 150,
        validation: 0.2,
        onEpoch: ({ epoch, valR2 }) => setSaid(`Epoch ${epoch}: R2 ${valR2.toFixed(3)}`),
      },
    );
    const [guess] = await model.predict([[7]]);
    setSaid(`f(7) = ${guess.toFixed(2)}, and 7 sin(7) = ${(7 * Math.sin(7)).toFixed(2)}`);
    model.dispose();
    setBusy(false);
  }

  return (
    <main>
      <h1>Learning x · sin(x)</h1>
      <button type="button" onClick={train} disabled={busy}>
        Train
      </button>{' '}
      <output aria-live="polite">{said}</output>
    </main>
  );
}
