import { type Command, Option } from 'commander';
import { TreadleError } from '#bindings';
import { readImage } from '../../data/image.js';
import { inferenceNetwork } from '../../orchestrate/evaluate.js';
import { printable } from '../../report/format.js';
import { type LoadedWeights, loadWeights } from '../../weights/model-file.js';
import { openEngine } from '../engine.js';
import { addBuildOption, addJsonOption, path } from '../options.js';

/** What a network says of one image; probabilities in label order. */
interface Prediction {
  image: string;
  class: string;
  probabilities: { class: string; probability: number }[];
}

/** Adds `predict`. */
export function addPredict(program: Command): void {
  const command = program
    .command('predict')
    .description('classify PNG or JPEG images (light objects on black, as in Fashion-MNIST)')
    .addOption(
      new Option('--weights <file>', 'a .safetensors or .pkl file')
        .argParser(path('--weights', 'file'))
        .makeOptionMandatory(),
    )
    .argument('<image...>', 'PNG or JPEG files');
  addBuildOption(command);
  addJsonOption(command, 'one object per image')
    .addHelpText(
      'after',
      '\nExample:\n  treadle predict --weights weights/small_weights_0.001.safetensors shoe.png coat.jpg',
    )
    .action(async (images: string[], options: { weights: string; build: string; json: boolean }) => {
      const stored = await loadWeights(options.weights);
      const [width, height] = imageSize(stored, options.weights);
      const pixels = new Uint8Array(images.length * width * height);
      for (const [index, image] of images.entries()) {
        pixels.set(await readImage(image, width, height), index * width * height);
      }
      const engine = await openEngine(options.build);
      const network = inferenceNetwork(engine, stored);
      const probabilities = network.predict(pixels);
      network.dispose();
      for (const [index, image] of images.entries()) {
        const own = probabilities.subarray(index * stored.classes, (index + 1) * stored.classes);
        const prediction = describe(image, own, stored);
        process.stdout.write(options.json ? `${JSON.stringify(prediction)}\n` : asText(prediction));
      }
    });
}

/** Width and height of the images that a network takes. Throws `shape` when the file does not tell and they are not square. */
function imageSize({ metadata, inputs }: LoadedWeights, file: string): [number, number] {
  const side = Math.round(Math.sqrt(inputs));
  const [width, height] = metadata === null ? [side, side] : [metadata.imageWidth, metadata.imageHeight];
  if (width * height === inputs) return [width, height];
  throw new TreadleError(
    'shape',
    `${file} takes ${inputs} pixels and does not say how they make an image; image sizes in its metadata, or a square number of pixels, are expected.`,
    { subject: file, found: inputs, expected: 'the size of an image' },
  );
}

function describe(image: string, own: Float32Array, { metadata, classes }: LoadedWeights): Prediction {
  const names = metadata?.classNames ?? Array.from({ length: classes }, (_, label) => String(label));
  const probabilities = names.map((name, label) => ({ class: name, probability: own[label]! }));
  const best = probabilities.reduce((a, b) => (b.probability > a.probability ? b : a));
  return { image, class: best.class, probabilities };
}

function asText({ image, class: best, probabilities }: Prediction): string {
  const width = Math.max(...probabilities.map((entry) => printable(entry.class).length));
  const lines = [...probabilities]
    .sort((a, b) => b.probability - a.probability)
    .map((entry) => `  ${printable(entry.class).padEnd(width)}  ${entry.probability.toFixed(4)}`);
  return `${image}: ${printable(best)}\n${lines.join('\n')}\n`;
}
