// Federated averaging (McMahan et al., 2017): each place trains on what it has, and only tensors travel.
import { createModel, loadModel, mlp } from 'treadle';

/** Points of a strip of the unit square, and which side of a circle each is on: a place has points of one strip only. */
const strip = (from, to, count) => {
  const x = Array.from({ length: count }, (_, i) => [
    from + ((to - from) * (i + 0.5)) / count,
    (i * 0.618) % 1,
  ]);
  return { x, y: x.map(([a, b]) => (Math.hypot(a - 0.5, b - 0.5) < 0.35 ? 'inside' : 'outside')) };
};
const places = [strip(0, 0.4, 120), strip(0.3, 0.7, 80), strip(0.6, 1, 160)];
const fresh = strip(0, 1, 300);

const base = await createModel(mlp({ inputs: 2, hidden: [32], outputs: 2 }), { seed: 0 });
// One short training decides how inputs are standardised, the same for all.
await base.fit(strip(0, 1, 30), { epochs: 1 });

for (let round = 1; round <= 10; round++) {
  const models = await Promise.all(
    places.map(async (data) => {
      const model = await loadModel(base.save());
      await model.fit(data, { epochs: 10, learningRate: 0.01 });
      return model;
    }),
  );
  base.setTensors(
    weightedMean(
      models.map((model) => model.tensors()),
      places.map(({ y }) => y.length),
    ),
  );
  for (const model of models) model.dispose();
  console.log(`round ${round}: accuracy ${base.evaluate(fresh).accuracy.toFixed(3)}`);
}

/** All tensors are averaged alike (BatchNorm's running means and variances too), each model weighed by its samples. */
function weightedMean(all, samples) {
  const total = samples.reduce((sum, count) => sum + count);
  return new Map(
    [...all[0]].map(([key, values]) => [
      key,
      values.map((_, i) =>
        all.reduce((sum, tensors, place) => sum + (samples[place] / total) * tensors.get(key)[i], 0),
      ),
    ]),
  );
}
