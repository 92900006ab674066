import { drawPoints, isRegression, type Point, type PointsSetup, SETS } from './points.ts';

export const USUAL_POINTS: PointsSetup = { set: 'moons', classes: 2, noise: 0.1, points: 300, seed: 0 };
export const MOST_POINTS = 1000;
export const MOST_CLASSES = 5;

/** Points that are painted by hand, as many as an address can hold. */
export const MOST_OWN = 500;

/** The points to learn from, and those to test on: drawn in the same way from another seed, or every fourth of one's own, of the classes that there are. */
export function splitPoints(setup: PointsSetup, own: readonly Point[]): { train: Point[]; test: Point[] } {
  if (setup.set !== 'own') {
    const test = { ...setup, seed: setup.seed + 1_000_003, points: Math.ceil(setup.points / 2) };
    return { train: drawPoints(setup), test: drawPoints(test) };
  }
  // The first few of each class are learnt from, so that none is missing there.
  const seen = new Map<number, number>();
  const parts = { train: [] as Point[], test: [] as Point[] };
  for (const point of own) {
    if (point.target >= setup.classes) continue;
    const place = seen.get(point.target) ?? 0;
    seen.set(point.target, place + 1);
    parts[place % 4 === 3 ? 'test' : 'train'].push(point);
  }
  return parts.test.length > 0 ? parts : { train: parts.train, test: parts.train };
}

/** Writes what is drawn into an address. */
export function writePoints(setup: PointsSetup, own: readonly Point[], to: URLSearchParams): void {
  for (const name of ['set', 'classes', 'noise', 'points', 'seed'] as const) {
    if (setup[name] !== USUAL_POINTS[name]) to.set(name === 'seed' ? 'draw' : name, String(setup[name]));
  }
  if (setup.set === 'own' && own.length > 0) to.set('own', packPoints(own));
}

/** Reads it; what makes no sense is as usual. */
export function readPoints(from: URLSearchParams): { setup: PointsSetup; own: Point[] } {
  const number = (name: string, least: number, most: number, other: number) => {
    const value = Number(from.get(name) ?? Number.NaN);
    return value >= least && value <= most ? value : other;
  };
  const set = from.get('set') ?? '';
  const setup: PointsSetup = {
    set: Object.hasOwn(SETS, set) ? (set as PointsSetup['set']) : USUAL_POINTS.set,
    classes: Math.round(number('classes', 2, MOST_CLASSES, USUAL_POINTS.classes)),
    noise: number('noise', 0, 0.5, USUAL_POINTS.noise),
    points: Math.round(number('points', 20, MOST_POINTS, USUAL_POINTS.points)),
    seed: Math.round(number('draw', 0, 1e9, USUAL_POINTS.seed)),
  };
  return { setup, own: unpackPoints(from.get('own') ?? '') };
}

/** A painted point where an address has it: within the plane, and on one of the places that it can name. */
export const placed = (point: Point): Point => unpackPoints(packPoints([point]))[0]!;

/** Two letters for each of x and y, and a digit for the class. */
function packPoints(points: readonly Point[]): string {
  const two = (value: number) =>
    Math.round(((Math.min(1, Math.max(-1, value)) + 1) / 2) * 1295)
      .toString(36)
      .padStart(2, '0');
  return points.map(({ x, y, target }) => `${two(x)}${two(y)}${target}`).join('');
}

function unpackPoints(text: string): Point[] {
  const one = (part: string) => Math.round(((Number.parseInt(part, 36) / 1295) * 2 - 1) * 1000) / 1000;
  return [...text.slice(0, 5 * MOST_OWN).matchAll(/([0-9a-z]{2})([0-9a-z]{2})([0-4])/g)].map(
    ([, x, y, target]) => ({ x: one(x!), y: one(y!), target: Number(target) }),
  );
}

/** The number of outputs that a set asks for. */
export const outputsOf = ({ set, classes }: PointsSetup) => (isRegression(set) ? 1 : classes);
