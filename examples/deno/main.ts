// deno run --allow-read main.ts
import { createModel, mlp } from 'npm:treadle';

const x = [
  [0, 0],
  [0, 1],
  [1, 0],
  [1, 1],
];
const y = ['even', 'odd', 'odd', 'even'];
const model = await createModel(mlp({ inputs: 2, hidden: [16], outputs: 2 }), { seed: 0 });
await model.fit({ x, y }, { epochs: 300 });
console.log(model.predict(x));
