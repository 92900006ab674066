import { createModel, mlp } from 'treadle';

const [train, stop] = document.querySelectorAll('button');
const output = document.querySelector('output');

const x = Array.from({ length: 1000 }, (_, i) => [i / 50 - 10]);
const y = x.map(([value]) => value * Math.sin(value));

train.addEventListener('click', async () => {
  const controller = new AbortController();
  stop.onclick = () => controller.abort();
  [train.disabled, stop.disabled] = [true, false];
  const model = await createModel(mlp({ inputs: 1, hidden: [128, 128], outputs: 1 }), {
    worker: true,
    threads: 'auto',
  });
  try {
    const { decisions } = await model.fit(
      { x, y },
      {
        epochs: 150,
        validation: 0.2,
        signal: controller.signal,
        onEpoch: ({ epoch, valR2 }) => {
          output.textContent = `Epoch ${epoch}: R2 ${valR2.toFixed(3)}`;
        },
      },
    );
    const [guess] = await model.predict([[7]]);
    output.textContent = `f(7) = ${guess.toFixed(2)}, and 7 sin(7) = ${(7 * Math.sin(7)).toFixed(2)}; ${decisions.threads} thread(s)`;
  } catch (error) {
    output.textContent = error.message;
  } finally {
    model.dispose();
    [train.disabled, stop.disabled] = [false, true];
  }
});
