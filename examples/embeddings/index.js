// A head on frozen embeddings: a few dozen texts, labelled by hand, and a model that sorts the rest.
import { createModel, mlp } from 'treadle';

/**
 * In place of an embedding model: hashes the words of a text into 256 numbers. Use the embeddings of a real one, such as a
 * sentence transformer, in the same way.
 */
function embed(text) {
  const vector = new Float32Array(256);
  for (const word of text.toLowerCase().match(/\w+/g) ?? []) {
    let hash = 2166136261;
    for (const letter of word) hash = Math.imul(hash ^ letter.charCodeAt(0), 16777619) >>> 0;
    vector[hash % 256] += hash & 256 ? 1 : -1;
  }
  return vector;
}

const labelled = {
  weather: [
    'rain and wind all day',
    'sunny with a light wind in the evening',
    'snow in the mountains and fog in the valley',
    'heavy rain expected in the evening',
    'a cold and sunny day',
    'fog in the morning and rain later',
  ],
  kitchen: [
    'chop the onion and fry it in butter',
    'add salt and pepper to the soup',
    'bake the bread for an hour',
    'boil the potatoes with salt',
    'stir the soup and add butter',
    'fry the potatoes with onion and pepper',
  ],
};
const rows = Object.entries(labelled).flatMap(([topic, texts]) =>
  texts.map((text) => ({ topic, x: embed(text) })),
);

const head = await createModel(mlp({ inputs: 256, hidden: [16], outputs: 2 }), { seed: 0 });
const begin = performance.now();
await head.fit({ x: rows.map(({ x }) => x), y: rows.map(({ topic }) => topic) }, { epochs: 60 });
console.log(`trained in ${(performance.now() - begin).toFixed()} ms`);

for (const text of ['fog and a cold wind', 'fry the onion, then add salt']) {
  console.log(head.predict([embed(text)])[0].padEnd(8), text);
}
