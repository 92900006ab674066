// Makes two tables for compare.py: houses.csv, 20,640 rows of nine numbers, and people.csv, 48,842 rows of fifteen columns, six
// numbers and nine of words, with gaps; each in a part to train on and one to test on. The same bytes on every machine.
//
//   node test/table/compare/tables.mjs FOLDER
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const [folder = 'build/tables'] = process.argv.slice(2);
mkdirSync(folder, { recursive: true });

let state = 20261128;
/** A number from 0 to 1 (a linear congruential generator: its high bits will do here). */
function uniform() {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return (state >>> 8) / 2 ** 24;
}
/** A number of about a normal distribution. */
const normal = () => Array.from({ length: 12 }, uniform).reduce((sum, value) => sum + value, -6);
/** One of the names, the first of them the most often. */
const pick = (names, steepness = 1.6) => names[Math.floor(names.length * uniform() ** steepness)];

/** Prices by place, age, size and income of a neighbourhood, with all that depends on one another. */
function house() {
  const [longitude, latitude] = [-124 + 10 * uniform(), 32 + 10 * uniform()];
  const age = Math.floor(52 * uniform());
  const households = Math.round(80 + 420 * Math.exp(normal() * 0.6));
  const rooms = Math.round(households * (4 + 2 * uniform()));
  const bedrooms = Math.round(rooms * (0.17 + 0.06 * uniform()));
  const people = Math.round(households * (2.2 + uniform()));
  const income = Math.max(0.5, 3.8 + 1.6 * normal());
  const coast = Math.exp(-((longitude + 124 - (42 - latitude)) ** 2) / 6);
  const price =
    40_000 * income + 120_000 * coast + 900 * age + 15_000 * (rooms / households - 5) + 45_000 * normal();
  const numbers = [longitude.toFixed(2), latitude.toFixed(2), age, rooms, bedrooms, people, households];
  return [...numbers, income.toFixed(4), Math.round(Math.min(500_001, Math.max(15_000, price + 20_000)))];
}

const WORDS = {
  work: ['private', 'self-employed', 'city', 'state', 'federal', 'unpaid', 'none'],
  school: [
    'high school',
    'some college',
    'bachelor',
    'master',
    'vocational',
    'eleventh',
    'tenth',
    'doctor',
    'ninth',
  ],
  family: ['married', 'never married', 'divorced', 'separated', 'widowed'],
  trade: [
    'craft',
    'office',
    'sales',
    'services',
    'machines',
    'transport',
    'farming',
    'technical',
    'management',
  ],
  role: ['husband', 'not in family', 'own child', 'unmarried', 'wife', 'other'],
  origin: ['north', 'south', 'east', 'west', 'islands'],
  sex: ['male', 'female'],
  country: Array.from({ length: 40 }, (_, at) => `country ${String.fromCharCode(65 + (at % 26))}${at}`),
};

/** A person's figures and words, and whether the income is high. */
function person() {
  const age = Math.round(17 + 60 * uniform() ** 1.4);
  const own = Object.fromEntries(Object.entries(WORDS).map(([name, words]) => [name, pick(words)]));
  const years = 3 + Math.round(13 * uniform());
  const hours = Math.round(Math.min(99, Math.max(1, 40 + 11 * normal())));
  const [gain, loss] = [
    uniform() < 0.08 ? Math.round(8000 * uniform()) : 0,
    uniform() < 0.05 ? Math.round(2000 * uniform()) : 0,
  ];
  const score =
    -6.2 +
    0.04 * (age - 38) +
    0.32 * years +
    0.035 * (hours - 40) +
    gain / 2500 +
    loss / 1800 +
    (own.family === 'married' ? 1.9 : 0) +
    (own.trade === 'management' ? 0.9 : own.trade === 'farming' ? -0.9 : 0) +
    (own.school === 'doctor' || own.school === 'master' ? 0.8 : 0) -
    0.0009 * (age - 50) ** 2;
  const isHigh = uniform() < 1 / (1 + Math.exp(-score));
  const gap = (value, share) => (uniform() < share ? '?' : value);
  return [
    age,
    gap(own.work, 0.057),
    Math.round(20_000 + 300_000 * uniform()),
    own.school,
    years,
    own.family,
    gap(own.trade, 0.058),
    own.role,
    own.origin,
    own.sex,
    gain,
    loss,
    hours,
    gap(own.country, 0.018),
    isHigh ? '>50K' : '<=50K',
  ];
}

const TABLES = {
  houses: {
    rows: 20_640,
    names: 'longitude,latitude,age,rooms,bedrooms,people,households,income,price',
    row: house,
  },
  people: {
    rows: 48_842,
    names: 'age,work,weight,school,years,family,trade,role,origin,sex,gain,loss,hours,country,income',
    row: person,
  },
};

for (const [name, { rows, names, row }] of Object.entries(TABLES)) {
  const lines = Array.from({ length: rows }, () => `${row().join(',')}\n`);
  const part = (isTest) => `${names}\n${lines.filter((_, at) => (at % 5 === 0) === isTest).join('')}`;
  writeFileSync(join(folder, `${name}-train.csv`), part(false));
  writeFileSync(join(folder, `${name}-test.csv`), part(true));
}
