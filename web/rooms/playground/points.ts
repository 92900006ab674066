/** A point of the plane with what is to be said of it: a class from 0 up, or a number. */
export interface Point {
  x: number;
  y: number;
  target: number;
}

/** The sets that are drawn. Coordinates lie about from -1 to 1. */
export const SETS = {
  circles: 'Circles',
  xor: 'XOR',
  moons: 'Moons',
  spiral: 'Spiral',
  gaussians: 'Gaussians',
  plane: 'Plane (regression)',
  hill: 'Hills (regression)',
  own: 'Your own points',
} as const;
export type SetName = keyof typeof SETS;

/** What is drawn, and how. */
export interface PointsSetup {
  set: SetName;
  /** 2 to 5; the sets of regression have none. */
  classes: number;
  /** 0 to 0.5. */
  noise: number;
  points: number;
  seed: number;
}

export const isRegression = (set: SetName) => set === 'plane' || set === 'hill';

/** Numbers from 0 to below 1 that follow from a seed: mulberry32. */
export function randomNumbers(seed: number): () => number {
  let state = (seed + 0x6d2b79f5) | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The points of a set; none of `own`, which are painted. */
export function drawPoints({ set, classes, noise, points, seed }: PointsSetup): Point[] {
  if (set === 'own') return [];
  const random = randomNumbers(seed);
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  return Array.from({ length: points }, (_, index) => {
    const own = index % classes;
    const { x, y, target } = PLACES[set](own, classes, random, normal);
    return {
      x: rounded(x + noise * 0.5 * normal()),
      y: rounded(y + noise * 0.5 * normal()),
      target: rounded(target),
    };
  });
}

/** Short enough to be written down in code that makes the same. */
const rounded = (value: number) => Math.round(value * 1000) / 1000;

type Place = (own: number, classes: number, random: () => number, normal: () => number) => Point;

const PLACES: Readonly<Record<Exclude<SetName, 'own'>, Place>> = {
  circles(own, classes, random) {
    // A disc in the middle, and rings around it with a gap between.
    const width = 0.95 / (classes + 0.35 * (classes - 1));
    const from = own * 1.35 * width;
    const radius = Math.sqrt(from ** 2 + random() * ((from + width) ** 2 - from ** 2));
    const angle = 2 * Math.PI * random();
    return { x: radius * Math.cos(angle), y: radius * Math.sin(angle), target: own };
  },
  xor(own, classes, random) {
    // Two classes: the four quarters. More: as many times more sectors, alternating.
    const sectors = 2 * classes;
    const sector = own + classes * Math.floor(2 * random());
    const angle = (2 * Math.PI * (sector + 0.06 + 0.88 * random())) / sectors;
    const radius = 0.12 + 0.83 * Math.sqrt(random());
    return { x: radius * Math.cos(angle), y: radius * Math.sin(angle), target: own };
  },
  moons(own, classes, random) {
    const angle = Math.PI * random();
    const side = own % 2 === 0 ? 1 : -1;
    const step = classes <= 2 ? 0.45 : 1.5 / classes;
    const left = (own - (classes - 1) / 2) * step;
    return { x: left + 0.45 * Math.cos(angle), y: side * (0.48 * Math.sin(angle) - 0.16), target: own };
  },
  spiral(own, classes, random) {
    const along = 0.04 + 0.96 * random();
    const angle = 1.6 * Math.PI * along + (2 * Math.PI * own) / classes;
    return { x: 0.92 * along * Math.sin(angle), y: 0.92 * along * Math.cos(angle), target: own };
  },
  gaussians(own, classes, _, normal) {
    const angle = (2 * Math.PI * own) / classes + Math.PI / 4;
    return {
      x: 0.55 * Math.cos(angle) + 0.15 * normal(),
      y: 0.55 * Math.sin(angle) + 0.15 * normal(),
      target: own,
    };
  },
  plane(_, __, random) {
    const [x, y] = [1.9 * random() - 0.95, 1.9 * random() - 0.95];
    return { x, y, target: (x + y) / 2 };
  },
  hill(_, __, random) {
    const [x, y] = [1.9 * random() - 0.95, 1.9 * random() - 0.95];
    const hill = (cx: number, cy: number) => Math.exp(-((x - cx) ** 2 + (y - cy) ** 2) / 0.12);
    return { x, y, target: hill(-0.45, 0.4) + hill(0.45, -0.4) - hill(0.45, 0.45) - hill(-0.4, -0.45) };
  },
};
