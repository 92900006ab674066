import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** A folder with the real Fashion-MNIST in gzip files, or undefined on a machine that has none. */
export const realDataFolder: string | undefined = [
  '/usr/share/datasets/fashion-mnist',
  join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'treadle', 'fashion-mnist'),
].find((folder) => existsSync(join(folder, 'train-images-idx3-ubyte.gz')));
