import { execFile } from 'node:child_process';
import { delimiter } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

// The plain builds give the same bytes in every JavaScript engine. TREADLE_NODES names other versions of Node to try,
// as paths of their binaries, separated as in PATH.

const nodes = (process.env.TREADLE_NODES ?? '').split(delimiter).filter((path) => path !== '');
const script = fileURLToPath(new URL('../support/train-digest.mjs', import.meta.url));

/** SHA-256 of what a training ends with on a Node: as it is, and with 128-bit operations joined where it can. */
async function digestsOn(node: string): Promise<Record<'plain' | 'joined', string>> {
  const { stdout } = await promisify(execFile)(node, [script, 'simd']);
  return JSON.parse(stdout).digests;
}

it.skipIf(nodes.length === 0)(
  'each Node of TREADLE_NODES trains to the same bytes as this one, its operations joined or not',
  async () => {
    const { plain, joined } = await digestsOn(process.execPath);
    expect(plain).toMatch(/^[0-9a-f]{64}$/);
    expect(joined).toBe(plain);
    for (const node of nodes) expect(await digestsOn(node), node).toEqual({ plain, joined });
  },
);
