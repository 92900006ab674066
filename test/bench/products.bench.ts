import { bench, describe, expect } from 'vitest';
import { gemmShapes, shapeName } from '../../dist/bench/shapes.js';
import { needs } from '../../dist/bindings/core/builds.js';
import {
  BUILD_NAMES,
  type BuildName,
  type Core,
  detectFeatures,
  type GemmShape,
  type Product,
  prepareProduct,
} from '../../dist/bindings/host.js';
import { openCore } from '../../dist/cli/core.js';
import { prepareGradient } from './gradients.js';
import { BRIEFLY, MODELS, openMachine } from './setup.js';

const BATCH = 256;
/** Of activations after ReLU and Dropout(0.5). */
const DENSITY = 0.25;

const shapes = gemmShapes(
  MODELS.map(([, spec]) => spec),
  BATCH,
);

/** $TREADLE_BUILD where it is set, else every release build that the engine can run. */
async function buildsToMeasure(): Promise<readonly (BuildName | 'auto')[]> {
  if (process.env.TREADLE_BUILD) return ['auto'];
  await openCore('auto'); // Turns on what the engine has behind flags.
  const features = await detectFeatures();
  return BUILD_NAMES.filter(
    (build) => build !== 'debug' && needs(build).every((feature) => features[feature]),
  );
}

/** Packs, multiplies and checks three random rows against float64, then hands the product over to be timed. */
function checked(shape: GemmShape, product: Product): Product {
  product.pack();
  product.multiply();
  // A running f32 sum of k products of numbers between -1/2 and 1/2.
  const bound = ((shape.k + 1) * 2 ** -24 * shape.k) / 4;
  for (let i = 0; i < 3; i++) {
    expect(product.rowError(Math.floor(Math.random() * shape.m)), shapeName(shape)).toBeLessThan(bound);
  }
  return product;
}

/** A product over a compressed A; gradients are those of a compressed input, as in training. */
function compressedProduct(core: Core, shape: GemmShape): Product {
  if (shape.form !== 'NN') return prepareGradient(core, shape, DENSITY);
  return prepareProduct(core, shape, { compressed: true, density: DENSITY });
}

/** The operations of one call by the benches' names, as the reporter takes them: those with zeros count too. */
const work = Object.fromEntries(shapes.map((shape) => [shapeName(shape), 2 * shape.m * shape.n * shape.k]));

/** The products in one build. */
async function describeProducts(build: BuildName | 'auto'): Promise<void> {
  const { core, machine } = await openMachine(build);
  const meta = { group: { machine, work } };
  const dense = shapes.map((shape) => ({
    name: shapeName(shape),
    product: checked(shape, prepareProduct(core, shape)),
  }));

  describe(`${machine.build}: dense products, multiplication alone`, { meta }, () => {
    for (const { name, product } of dense) bench(name, product.multiply, BRIEFLY);
  });

  describe(`${machine.build}: dense products, packing included`, { meta }, () => {
    for (const { name, product } of dense) {
      const run = () => {
        product.pack();
        product.multiply();
      };
      bench(name, run, BRIEFLY);
    }
  });

  const zeros = `${DENSITY} of X not zero`;
  const kinds = "TN with Adam's step, NT where X is not zero";
  describe(`${machine.build}: compressed products, ${zeros}, multiplication alone; ${kinds}`, {
    meta,
  }, () => {
    for (const shape of shapes) {
      bench(shapeName(shape), checked(shape, compressedProduct(core, shape)).multiply, BRIEFLY);
    }
  });
}

for (const build of await buildsToMeasure()) await describeProducts(build);
