// Loaded before the command line (`--import`): a machine without the dataset, whose downloads wait for ever, or fail at
// once when HANG is `apt`.
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const { readdir } = fs.promises;
fs.promises.readdir = async (path, ...rest) => {
  if (String(path).startsWith('/usr/share/datasets'))
    throw Object.assign(new Error('none'), { code: 'ENOENT' });
  return readdir(path, ...rest);
};
syncBuiltinESMExports();

globalThis.fetch = (_address, { signal }) =>
  new Promise((_resolve, reject) => {
    if (process.env.HANG === 'apt') reject(new TypeError('no network'));
    const connection = setInterval(() => {}, 1000);
    signal.addEventListener('abort', () => {
      clearInterval(connection);
      reject(signal.reason);
    });
  });
