import { gzipSync } from 'node:zlib';
import type { Plugin } from 'vite';
import {
  ARCHITECTURES,
  type Dataset,
  defaultConfig,
  type ImageSet,
  loadDataset,
} from '../../dist/experiment/index.js';
import { FASHION_MNIST_CLASSES, IDX_FILES, type IdxFileName } from '../../dist/fashion-mnist/identity.js';
import { takeStratified } from '../../dist/index.js';

/** Images of the small set, which is part of every build. */
const SMALL = { train: 2400, test: 500 } as const;
/** Folders beside the page: the four files as they are published, and a few of their images in the same form. */
const FULL = 'fashion-mnist';
const FEW = 'fashion-mnist-small';
/** What the page imports of the report's set-up. */
const MODULE = 'virtual:fashion-mnist';

/**
 * Fashion-MNIST beside the page, from the sources of the command line: all of it while the page is served from here, and a
 * few images in a build. Whoever wants all in a build puts the four published files into its folder fashion-mnist.
 */
export function fashionMnist(): Plugin {
  let loading: Promise<Dataset> | undefined;
  const load = () => {
    loading ??= loadDataset({ verify: true, log: console.log });
    return loading;
  };
  return {
    name: 'fashion-mnist',
    resolveId: (id) => (id === MODULE ? `\0${MODULE}` : undefined),
    load: (id) => (id === `\0${MODULE}` ? moduleText() : undefined),
    configureServer(server) {
      server.middlewares.use((request, response, next) => {
        const [, folder, file] = /^\/(fashion-mnist(?:-small)?)\/([\w-]+)\.gz$/.exec(request.url ?? '') ?? [];
        const name = IDX_FILES.find((one) => one === file);
        if (name === undefined) return next();
        load().then(
          (dataset) => {
            response.setHeader('Content-Type', 'application/octet-stream');
            response.end(idxFile(folder === FULL ? dataset : few(dataset), name));
          },
          (error: Error) => {
            // The next visitor's wish is tried anew.
            loading = undefined;
            response.statusCode = 404;
            response.end(error.message);
          },
        );
      });
    },
    async generateBundle() {
      if (this.environment.config.consumer !== 'client') return;
      let small: Parts;
      try {
        small = few(await load());
      } catch (error) {
        this.warn(`The page is built without Fashion-MNIST: ${(error as Error).message}`);
        return;
      }
      for (const name of IDX_FILES) {
        const source = gzipSync(idxFile(small, name), { level: 9 });
        this.emitFile({ type: 'asset', fileName: `${FEW}/${name}.gz`, source });
      }
    },
  };
}

function moduleText(): string {
  const { dropout, batchSize, epochs } = defaultConfig();
  return Object.entries({
    ARCHITECTURES,
    CLASSES: FASHION_MNIST_CLASSES,
    DEFAULTS: { dropout, batchSize, epochs },
  })
    .map(([name, value]) => `export const ${name} = ${JSON.stringify(value)};`)
    .join('\n');
}

type Parts = Pick<Dataset, 'train' | 'test' | 'imageWidth' | 'imageHeight'>;

/** A few images of each class, always the same. */
function few({ train, test, ...rest }: Dataset): Parts {
  return { ...rest, train: taken(train, SMALL.train), test: taken(test, SMALL.test) };
}

function taken({ images, labels, count }: ImageSet, wanted: number): ImageSet {
  const all = Uint32Array.from({ length: count }, (_, place) => place);
  const places = takeStratified(all, labels, FASHION_MNIST_CLASSES.length, wanted, 0);
  const size = images.length / count;
  const part = { images: new Uint8Array(wanted * size), labels: new Uint8Array(wanted), count: wanted };
  places.forEach((place, at) => {
    part.images.set(images.subarray(place * size, (place + 1) * size), at * size);
    part.labels[at] = labels[place]!;
  });
  return part;
}

/** A file as it is published: big-endian sizes behind a magic number, then the bytes. */
function idxFile({ train, test, imageHeight, imageWidth }: Parts, name: IdxFileName): Buffer {
  const { images, labels, count } = name.startsWith('train') ? train : test;
  const isImages = name.includes('images');
  const sizes = isImages ? [0x803, count, imageHeight, imageWidth] : [0x801, count];
  const head = Buffer.alloc(4 * sizes.length);
  sizes.forEach((size, at) => {
    head.writeUInt32BE(size, 4 * at);
  });
  return Buffer.concat([head, isImages ? images : labels]);
}
