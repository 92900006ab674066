// Makes the two invented tables that ship with the page, the same bytes each time; iris.csv is that of docs/guide.
import { writeFileSync } from 'node:fs';

let state = 1;
/** A number from 0 to below 1: mulberry32. */
function random() {
  state = (state + 0x6d2b79f5) | 0;
  let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
}
const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
const one = (values) => values[Math.floor(random() * values.length)];
const gap = (value, share) => (random() < share ? '' : value);

/** Hours of a bicycle hire: the time of day, the weather and the weekday make most of its rides. */
function bicycles() {
  const start = Date.UTC(2025, 2, 1);
  const rows = Array.from({ length: 1800 }, (_, at) => {
    const time = new Date(start + at * 3 * 3600 * 1000);
    const [hour, weekday] = [time.getUTCHours(), time.getUTCDay()];
    const season = Math.sin((2 * Math.PI * (at / 8 - 40)) / 365);
    const temperature = 14 + 11 * season + 4 * Math.sin((2 * Math.PI * (hour - 9)) / 24) + 2.5 * normal();
    const sky = one(['clear', 'clear', 'clear', 'clouds', 'clouds', 'rain']);
    const wind = Math.max(0, 11 + 6 * normal());
    const isFree = weekday === 0 || weekday === 6;
    const day = isFree
      ? Math.exp(-((hour - 14) ** 2) / 18)
      : Math.exp(-((hour - 8) ** 2) / 6) + 1.2 * Math.exp(-((hour - 18) ** 2) / 8);
    const weather = { clear: 1, clouds: 0.85, rain: 0.4 }[sky] * Math.max(0.2, 1 - wind / 60);
    const warmth = Math.max(0.15, 1 - ((temperature - 22) / 28) ** 2);
    const rides = Math.round((12 + 190 * day) * weather * warmth * Math.exp(0.12 * normal()));
    return [
      time.toISOString().slice(0, 16),
      gap(temperature.toFixed(1), 0.02),
      gap(wind.toFixed(1), 0.04),
      sky,
      isFree ? 'no' : 'yes',
      rides,
    ];
  });
  return [['time', 'temperature', 'wind', 'sky', 'working day', 'rides'], ...rows];
}

/** Customers of a telephone company, and whether they have left. */
function customers() {
  const rows = Array.from({ length: 2000 }, (_, at) => {
    const months = Math.floor(1 + 71 * random() ** 1.4);
    const contract =
      months > 24 ? one(['yearly', 'two years', 'monthly']) : one(['monthly', 'monthly', 'yearly']);
    const internet = one(['fibre', 'fibre', 'cable', 'none']);
    const calls = Math.max(0, Math.round(1.4 + 1.5 * normal()));
    const fee = 18 + { fibre: 42, cable: 24, none: 0 }[internet] + 9 * random() + 2 * calls;
    const pays = one(['card', 'transfer', 'cheque']);
    const score =
      { monthly: 1.1, yearly: -1.2, 'two years': -2.4 }[contract] +
      { fibre: 0.7, cable: 0, none: -0.7 }[internet] +
      0.55 * (calls - 1.5) -
      0.035 * months +
      (pays === 'cheque' ? 0.5 : 0) +
      0.012 * (fee - 50);
    const left = random() < 1 / (1 + Math.exp(-1.4 * score));
    return [
      `C${1000 + at}`,
      months,
      contract,
      internet,
      calls,
      gap(fee.toFixed(2), 0.03),
      gap(pays, 0.05),
      left ? 'yes' : 'no',
    ];
  });
  return [
    ['customer', 'months', 'contract', 'internet', 'calls for help', 'monthly fee', 'pays by', 'left'],
    ...rows,
  ];
}

const write = (name, rows) =>
  writeFileSync(new URL(name, import.meta.url), rows.map((row) => `${row.join(',')}\n`).join(''));
write('bicycles.csv', bicycles());
write('customers.csv', customers());
