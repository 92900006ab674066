import { createModel, mlp } from 'treadle';
import { expect, test } from 'vitest';

test('XOR', async () => {
  const x = [
    [0, 0],
    [0, 1],
    [1, 0],
    [1, 1],
  ];
  const y = ['even', 'odd', 'odd', 'even'];
  const model = await createModel(mlp({ inputs: 2, hidden: [16], outputs: 2 }), { seed: 0 });
  await model.fit({ x, y }, { epochs: 300 });
  expect(model.predict(x)).toEqual(y);
});
