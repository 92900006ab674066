import { SETS, type SetName } from './images.ts';

/** What the matrix is made of. */
export const MEASURED = { validation: 'Validation images', test: 'Test images' } as const;

/** The room's own settings. */
export interface ClothesSettings {
  images: SetName;
  measured: keyof typeof MEASURED;
}

const USUAL: ClothesSettings = { images: 'few', measured: 'test' };

export function writeSettings(settings: ClothesSettings, to: URLSearchParams): void {
  for (const name of ['images', 'measured'] as const) {
    if (settings[name] !== USUAL[name]) to.set(name, settings[name]);
  }
}

/** Reads them; what makes no sense is as usual. */
export function readSettings(from: URLSearchParams): ClothesSettings {
  const [images, measured] = [from.get('images') ?? '', from.get('measured') ?? ''];
  return {
    images: Object.hasOwn(SETS, images) ? (images as SetName) : USUAL.images,
    measured: Object.hasOwn(MEASURED, measured) ? (measured as ClothesSettings['measured']) : USUAL.measured,
  };
}
