import { createModel, mlp } from './bundle.js';

const SIZE = 96;
const canvas = document.querySelector('canvas');
const button = document.querySelector('button');
const output = document.querySelector('output');
const context = canvas.getContext('2d');

const y = Array.from({ length: 300 }, (_, i) => i % 2);
const x = y.map((arm, i) => {
  const turn = 0.5 + (i / 300) * 9;
  const radius = turn / 10;
  const angle = turn + arm * Math.PI;
  return [radius * Math.cos(angle), radius * Math.sin(angle)];
});

/** The middle of every pixel, in the points' units. */
const grid = Float32Array.from({ length: SIZE * SIZE * 2 }, (_, i) => {
  const pixel = i >> 1;
  const place = i % 2 === 0 ? pixel % SIZE : Math.floor(pixel / SIZE);
  return (2 * (place + 0.5)) / SIZE - 1;
});

function draw(probabilities) {
  const image = context.createImageData(SIZE, SIZE);
  for (let pixel = 0; pixel < SIZE * SIZE; pixel++) {
    const share = probabilities[2 * pixel + 1];
    image.data.set([40 + 180 * share, 110, 220 - 180 * share, 190], 4 * pixel);
  }
  x.forEach(([px, py], i) => {
    const column = Math.floor(((px + 1) / 2) * SIZE);
    const row = Math.floor(((py + 1) / 2) * SIZE);
    image.data.set(y[i] ? [120, 30, 10, 255] : [10, 30, 120, 255], 4 * (row * SIZE + column));
  });
  context.putImageData(image, 0, 0);
}

button.addEventListener('click', async () => {
  button.disabled = true;
  const model = await createModel(mlp({ inputs: 2, hidden: [64, 64], outputs: 2 }), {
    seed: 1,
    worker: true,
  });
  for await (const { epoch, trainAccuracy } of model.fit({ x, y }, { epochs: 200 })) {
    output.textContent = `Epoch ${epoch}: ${(100 * trainAccuracy).toFixed()} % of the points are right.`;
    if (epoch % 5 === 0) draw(await model.probabilities(grid));
  }
  draw(await model.probabilities(grid));
  model.dispose();
  button.disabled = false;
});
