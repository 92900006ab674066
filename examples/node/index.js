// Learns to tell two interleaved half circles apart, saves the model, and loads it again.
import { createModel, mlp, readModel, writeModel } from 'treadle';

/** `count` points of two half moons, and which moon each is of. */
function moons(count, seed) {
  let state = seed;
  const next = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  const y = Array.from({ length: count }, (_, i) => (i % 2 ? 'lower' : 'upper'));
  const x = y.map((moon) => {
    const angle = Math.PI * next();
    const [dx, dy] = [0.2 * (next() - 0.5), 0.2 * (next() - 0.5)];
    return moon === 'upper'
      ? [Math.cos(angle) + dx, Math.sin(angle) + dy]
      : [1 - Math.cos(angle) + dx, 0.5 - Math.sin(angle) + dy];
  });
  return { x, y };
}

const model = await createModel(mlp({ inputs: 2, hidden: [32, 32], outputs: 2 }), { seed: 0 });
const history = await model.fit(moons(400, 1), { epochs: 100, validation: 0.2, patience: 20 });
console.log(model.summary());
console.log(
  `best epoch ${history.best}: validation accuracy ${history.epochs[history.best - 1].valAccuracy}`,
);

await writeModel('moons.safetensors', model);
const again = await readModel('moons.safetensors');
const { accuracy, confusion } = again.evaluate(moons(1000, 2));
console.log('accuracy on new points:', accuracy, confusion);
