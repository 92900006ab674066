const { createModel, mlp } = require('treadle');

const x = [
  [0, 0],
  [0, 1],
  [1, 0],
  [1, 1],
];
const y = ['even', 'odd', 'odd', 'even'];
createModel(mlp({ inputs: 2, hidden: [16], outputs: 2 }), { seed: 0 }).then(async (model) => {
  await model.fit({ x, y }, { epochs: 300 });
  if (String(model.predict(x)) !== String(y)) throw new Error(`predicts ${model.predict(x)}`);
});
