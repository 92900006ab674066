import { describe, expect, it } from 'vitest';
import { loadCore } from '../../dist/bindings/host.js';
import { testEnsemble } from '../../dist/experiment/ensemble.js';
import {
  evaluateTensors,
  inferenceNetwork,
  mirrored,
  predictionsOf,
  type StoredNetwork,
  testOf,
} from '../../dist/experiment/evaluate.js';
import { network } from '../formats/fixtures.js';
import { failure } from '../support/errors.js';
import { syntheticDataset } from '../support/idx.js';

const [WIDTH, HEIGHT] = [5, 4];
const { test } = syntheticDataset({ classes: 3, height: HEIGHT, width: WIDTH, train: 9, test: 60, seed: 1 });
const core = await loadCore({ build: 'simd' });
const SHAPE = { inputs: 20, classes: 3, imageWidth: WIDTH, average: 'none' as const };
const FLIP = { ...SHAPE, average: 'flip' as const };

/** A network whose weights differ by a seed. */
function member(seed: number): StoredNetwork & { file: string } {
  const tensors = network([20, 7, 3]);
  const scaled = structuredClone(tensors);
  let at = seed;
  for (const { weight } of scaled.dense)
    for (let i = 0; i < weight.length; i++) weight[i] = Math.sin(at++ * 12.9898);
  return { tensors: scaled, inputs: 20, hidden: [7], classes: 3, file: `${seed}.safetensors` };
}

const probabilitiesOf = (stored: StoredNetwork, images = test.images) => {
  const net = inferenceNetwork(core, stored);
  const probabilities = net.predict(images);
  net.dispose();
  return probabilities;
};

describe('mirror averaging', () => {
  it('mirrors every row of an image', () => {
    expect([...mirrored(Uint8Array.of(1, 2, 3, 4, 5, 6), 3)]).toEqual([3, 2, 1, 6, 5, 4]);
    expect(mirrored(mirrored(test.images, WIDTH), WIDTH)).toEqual(test.images);
  });

  it('is the mean of the probabilities of an image and its mirror image', () => {
    const stored = member(1);
    const other = probabilitiesOf(stored, mirrored(test.images, WIDTH));
    const mean = probabilitiesOf(stored).map((value, at) => (value + other[at]!) / 2);
    const found = evaluateTensors(core, stored, FLIP, test, 'a file');
    expect(found).toEqual(testOf(mean, test.labels, 3));
    // The same of mirrored images.
    const flipped = { images: mirrored(test.images, WIDTH), labels: test.labels };
    expect(evaluateTensors(core, stored, FLIP, flipped, 'a file').confusion).toEqual(found.confusion);
  });

  it('of nothing is the test that it was, by probabilities too', () => {
    const stored = member(2);
    const plain = evaluateTensors(core, stored, SHAPE, test, 'a file');
    const { loss, ...scores } = testOf(probabilitiesOf(stored), test.labels, 3);
    expect(plain).toMatchObject(scores);
    expect(plain.loss).toBeCloseTo(loss, 5);
  });
});

describe('an ensemble', () => {
  it('of one model, or of the same several times, is that model', () => {
    const alone = evaluateTensors(core, member(1), FLIP, test, 'a file');
    for (const members of [[member(1)], [member(1), member(1), member(1)]]) {
      const { result, agreement, members: each } = testEnsemble(core, members, FLIP, test);
      expect(result.confusion).toEqual(alone.confusion);
      expect(result.loss).toBeCloseTo(alone.loss, 6);
      expect(agreement).toBe(1);
      expect(each.map(({ accuracy }) => accuracy)).toEqual(members.map(() => alone.accuracy));
    }
  });

  it('of several says what the mean of their probabilities says', () => {
    const members = [member(1), member(5), member(9)];
    const each = members.map((one) => probabilitiesOf(one));
    const mean = each[0]!.map((_, at) => each.reduce((sum, own) => sum + own[at]!, 0) / 3);
    const { result, agreement } = testEnsemble(core, members, SHAPE, test);
    expect(result.confusion).toEqual(testOf(mean, test.labels, 3).confusion);
    const said = each.map((own) => predictionsOf(own, 3));
    const same = test.labels.reduce(
      (count, _, row) => count + Number(said.every((one) => one[row] === said[0]![row])),
      0,
    );
    expect(agreement).toBe(same / 60);
    expect(agreement).toBeLessThan(1);
  });

  it('is refused with a member that takes other images', async () => {
    const odd = { ...member(1), inputs: 21, file: 'odd.safetensors' };
    const error = await failure('shape', () => testEnsemble(core, [member(1), odd], SHAPE, test));
    expect(error.message).toBe(
      'odd.safetensors has 21 inputs and 3 classes; 20 inputs and 3 classes are expected, as the dataset has.',
    );
  });
});
