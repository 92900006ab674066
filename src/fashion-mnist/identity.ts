/** A dataset's four files, in the order of the data hash; each may carry `.gz`. */
export const IDX_FILES = [
  'train-images-idx3-ubyte',
  'train-labels-idx1-ubyte',
  't10k-images-idx3-ubyte',
  't10k-labels-idx1-ubyte',
] as const;

export type IdxFileName = (typeof IDX_FILES)[number];

/** Size and SHA-256 of Fashion-MNIST's decompressed files; the gzip bytes differ between mirrors. */
export const PUBLISHED: Readonly<Record<IdxFileName, { bytes: number; sha256: string }>> = {
  'train-images-idx3-ubyte': {
    bytes: 47_040_016,
    sha256: 'c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888',
  },
  'train-labels-idx1-ubyte': {
    bytes: 60_008,
    sha256: 'bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9',
  },
  't10k-images-idx3-ubyte': {
    bytes: 7_840_016,
    sha256: '5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b',
  },
  't10k-labels-idx1-ubyte': {
    bytes: 10_008,
    sha256: '0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34',
  },
};

export const FASHION_MNIST = 'Fashion-MNIST';

/** What the labels 0 to 9 mean. */
export const FASHION_MNIST_CLASSES: readonly string[] = [
  'T-shirt/top',
  'Trouser',
  'Pullover',
  'Dress',
  'Coat',
  'Sandal',
  'Shirt',
  'Sneaker',
  'Bag',
  'Ankle boot',
];

/** Where the dataset's authors publish the files. */
export const DOWNLOAD_ROOT =
  'https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/';

/** Debian's package of the files, and the folder it installs them in. */
export const DEBIAN_PACKAGE = 'dataset-fashion-mnist';
export const DEBIAN_FOLDER = '/usr/share/datasets/fashion-mnist';
