// Trains in a thread of its own, while this one goes on with its work, and stops when there is enough.
import { createModel, mlp } from 'treadle';

const x = Float32Array.from({ length: 2000 * 8 }, (_, i) => Math.sin(i * 0.37 + (i % 8)));
const y = Array.from({ length: 2000 }, (_, row) => x[8 * row] * x[8 * row + 3]);

const model = await createModel(mlp({ inputs: 8, hidden: [128, 128], outputs: 1 }), {
  seed: 0,
  worker: true,
  threads: 'auto',
});
let ticks = 0;
const timer = setInterval(() => ticks++, 5);
const stop = new AbortController();
let last = 0;
const training = model.fit(
  { x, y },
  {
    epochs: 1000,
    validation: 0.2,
    signal: stop.signal,
    onEpoch: ({ epoch, valR2 }) => {
      last = valR2;
      if (epoch % 5 === 0) console.log(`epoch ${epoch}: R2 ${valR2.toFixed(3)}`);
      if (epoch === 20) stop.abort();
    },
  },
);
await training.catch(({ code }) => console.log(`ended: ${code}`));
clearInterval(timer);
console.log(`R2 ${last.toFixed(3)}; this thread was free ${ticks} times meanwhile`);
model.dispose();
