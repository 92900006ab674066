import type { Graph } from '../../formats/export/graph.js';
import type { DatePart } from '../encoder.js';

// Parts of a time of the Gregorian calendar by arithmetic alone. Days are counted from 1 March of the year 0, so that leap
// days are the last of their years (H. Hinnant, "chrono-compatible low-level date algorithms", civil_from_days). All numbers
// are whole and far below 2^53, where quotients of 64-bit floats do not reach the next whole number.

const MS_A_MINUTE = 60_000;
const MS_A_DAY = 86_400_000;
/** From 0000-03-01 to 1970-01-01. */
const DAYS_TO_1970 = 719_468;
/** 400 years, after which the calendar is as it was. */
const DAYS_AN_ERA = 146_097;

/** Arithmetic of a part: each method adds a node, and returns the name of its value. */
class Arithmetic {
  #count = 0;

  constructor(
    readonly graph: Graph,
    readonly name: string,
  ) {}

  #node(type: string, inputs: string[]): string {
    return this.graph.node(type, inputs, `${this.name}_${this.#count++}`);
  }

  #constant(value: number): string {
    return this.graph.double(`${this.name}_c${this.#count++}`, value);
  }

  add = (a: string, b: string) => this.#node('Add', [a, b]);
  less = (a: string, b: string) => this.#node('Sub', [a, b]);
  plus = (a: string, value: number) => this.#node('Add', [a, this.#constant(value)]);
  times = (a: string, value: number) => this.#node('Mul', [a, this.#constant(value)]);
  over = (a: string, value: number) => this.#node('Div', [a, this.#constant(value)]);
  /** How many whole times. */
  whole = (a: string, value: number) => this.#node('Floor', [this.over(a, value)]);
  /** What is left. */
  rest = (a: string, value: number) => this.less(a, this.times(this.whole(a, value), value));
}

/** Adds a part of the times (milliseconds since 1970) in `from`, as treadle's encoder takes it; NaN stays NaN. */
export function addDatePart(graph: Graph, part: DatePart, from: string, name: string): string {
  const a = new Arithmetic(graph, name);
  if (part === 'hour') return a.over(a.whole(a.rest(from, MS_A_DAY), MS_A_MINUTE), 60);
  const days = a.whole(from, MS_A_DAY);
  // 1970-01-01 was a Thursday.
  if (part === 'weekday') return a.rest(a.plus(days, 4), 7);
  const day = a.plus(days, DAYS_TO_1970);
  const ofEra = a.rest(day, DAYS_AN_ERA);
  const leapDays = a.add(
    a.less(a.whole(ofEra, 1460), a.whole(ofEra, 36_524)),
    a.whole(ofEra, DAYS_AN_ERA - 1),
  );
  const year = a.whole(a.less(ofEra, leapDays), 365);
  const before = a.less(a.add(a.times(year, 365), a.whole(year, 4)), a.whole(year, 100));
  const ofYear = a.less(ofEra, before);
  // Months from March on: lengths of 31, 30, 31, 30, 31 days over and over.
  const month = a.whole(a.plus(a.times(ofYear, 5), 2), 153);
  if (part === 'day') return a.plus(a.less(ofYear, a.whole(a.plus(a.times(month, 153), 2), 5)), 1);
  // 1 for January and February, which belong to the year that begins with March.
  const isNext = a.whole(month, 10);
  if (part === 'month') return a.less(a.plus(month, 3), a.times(isNext, 12));
  return a.add(a.add(year, a.times(a.whole(day, DAYS_AN_ERA), 400)), isNext);
}
