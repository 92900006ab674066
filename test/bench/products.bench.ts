import { bench, describe, expect } from 'vitest';
import { gemmShapes, shapeName } from '../../dist/bench/shapes.js';
import { type GemmShape, prepareProduct } from '../../dist/bindings/index.js';
import { BRIEFLY, MODELS, openMachine } from './setup.js';

const BATCH = 256;
/** Of activations after ReLU and Dropout(0.5). */
const DENSITY = 0.25;

const { engine, machine } = await openMachine();
const shapes = gemmShapes(
  MODELS.map(([, spec]) => spec),
  BATCH,
);
const flops = ({ m, n, k }: GemmShape) => 2 * m * n * k;

/** Packs, multiplies and checks three random rows against float64, then hands the product over to be timed. */
function checkedProduct(shape: GemmShape, options: { compressed?: boolean; density?: number } = {}) {
  const product = prepareProduct(engine, shape, options);
  product.pack();
  product.multiply();
  // A running f32 sum of k products of numbers between -1/2 and 1/2.
  const bound = ((shape.k + 1) * 2 ** -24 * shape.k) / 4;
  for (let i = 0; i < 3; i++) {
    expect(product.rowError(Math.floor(Math.random() * shape.m)), shapeName(shape)).toBeLessThan(bound);
  }
  return product;
}

/** The benches' names with the operations of one call, as the reporter takes them. */
function workOf(of: GemmShape[]): Record<string, number> {
  return Object.fromEntries(of.map((shape) => [shapeName(shape), flops(shape)]));
}

describe('dense products, multiplication alone', {
  meta: { group: { machine, work: workOf(shapes) } },
}, () => {
  for (const shape of shapes) {
    const { multiply } = checkedProduct(shape);
    bench(shapeName(shape), multiply, BRIEFLY);
  }
});

describe('dense products, packing included', { meta: { group: { machine, work: workOf(shapes) } } }, () => {
  for (const shape of shapes) {
    const { pack, multiply } = checkedProduct(shape);
    bench(
      shapeName(shape),
      () => {
        pack();
        multiply();
      },
      BRIEFLY,
    );
  }
});

const forward = shapes.filter(({ form }) => form === 'NN');
const title = `compressed products, ${DENSITY} of A not zero, multiplication alone`;
describe(title, { meta: { group: { machine, work: workOf(forward) } } }, () => {
  for (const shape of forward) {
    const { multiply } = checkedProduct(shape, { compressed: true, density: DENSITY });
    bench(shapeName(shape), multiply, BRIEFLY);
  }
});
