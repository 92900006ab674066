import { createModel, mlp } from './treadle.js';

const x = [
  [0, 0],
  [0, 1],
  [1, 0],
  [1, 1],
];
const y = ['even', 'odd', 'odd', 'even'];

/** Trains XOR and checks the predictions: 'ok', or what went wrong. */
export async function trainXor(options) {
  try {
    const model = await createModel(mlp({ inputs: 2, hidden: [16], outputs: 2 }), { seed: 0, ...options });
    const { decisions } = await model.fit({ x, y }, { epochs: 300 });
    const predicted = await model.predict(x);
    model.dispose();
    if (String(predicted) !== String(y)) return `predicts ${predicted}`;
    const { threads = 1 } = options;
    return decisions.threads === threads ? 'ok' : `trains with ${decisions.threads} threads`;
  } catch (error) {
    return `${error.code}: ${error.message}`;
  }
}
