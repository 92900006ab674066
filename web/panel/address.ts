import { ACTIVATIONS, type Block, LIMITS, OPTIMIZERS, SCHEDULES, type Setup } from './setup.ts';

/** Writes how a network is trained into an address, as far as it differs from the room's own way. */
export function writeSetup(setup: Setup, usual: Setup, to: URLSearchParams): void {
  if (JSON.stringify(setup.blocks) !== JSON.stringify(usual.blocks))
    to.set('layers', setup.blocks.map(blockText).join('_'));
  for (const name of ['optimizer', 'rate', 'schedule', 'batch', 'epochs', 'patience', 'seed'] as const) {
    if (setup[name] !== usual[name]) to.set(name, String(setup[name]));
  }
}

/** Reads it. What is missing, or makes no sense, is as the room has it. */
export function readSetup(from: URLSearchParams, usual: Setup): Setup {
  const number = (name: string, least: number, most: number, other: number, isWhole = true) => {
    const value = Number(from.get(name) ?? Number.NaN);
    return value >= least && value <= most && (!isWhole || Number.isInteger(value)) ? value : other;
  };
  const choice = <T extends string>(name: string, options: Readonly<Record<T, string>>, other: T): T => {
    const value = from.get(name);
    return value !== null && Object.hasOwn(options, value) ? (value as T) : other;
  };
  return {
    blocks: readBlocks(from.get('layers')) ?? usual.blocks,
    optimizer: choice('optimizer', OPTIMIZERS, usual.optimizer),
    rate: number('rate', 1e-9, 100, usual.rate, false),
    schedule: choice('schedule', SCHEDULES, usual.schedule),
    batch: number('batch', 0, LIMITS.batch, usual.batch),
    epochs: number('epochs', 1, LIMITS.epochs, usual.epochs),
    patience: number('patience', 0, LIMITS.epochs, usual.patience),
    seed: number('seed', 0, LIMITS.seed, usual.seed),
  };
}

/** Such as `64-norm-relu-20`: width, normalisation, activation, dropout in percent. */
function blockText({ units, norm, activation, dropout }: Block): string {
  return [
    units,
    ...(norm ? ['norm'] : []),
    activation,
    ...(dropout > 0 ? [Math.round(100 * dropout)] : []),
  ].join('-');
}

function readBlocks(text: string | null): Block[] | null {
  if (text === null) return null;
  if (text === '') return [];
  const read = text.split('_').map((part): Block | null => {
    const match = /^(\d+)(-norm)?-([a-zA-Z]+)(?:-(\d+))?$/.exec(part);
    if (match === null || !Object.hasOwn(ACTIVATIONS, match[3]!)) return null;
    const units = Number(match[1]);
    const dropout = Number(match[4] ?? 0) / 100;
    if (units < 1 || units > LIMITS.units || dropout >= 1) return null;
    return { units, norm: match[2] !== undefined, activation: match[3] as Block['activation'], dropout };
  });
  return read.length <= LIMITS.blocks && read.every((block) => block !== null) ? read : null;
}
