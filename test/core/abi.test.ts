import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { probeCore } from '../../dist/bindings/core/core.js';
import { ACTIVATIONS } from '../../dist/bindings/model/blocks.js';
import { STEP_KINDS } from '../../dist/bindings/model/optimizers.js';
import {
  BATCH_WORDS,
  FLOAT_WORDS,
  OPERATIONS,
  type OperationName,
} from '../../dist/bindings/program/operations.js';
import { ROW_KINDS } from '../../dist/bindings/program/product.js';
import { cores } from './support.js';

// The host writes by bindings/program what the core reads by assembly/abi: the two say the same.

const source = (name: string) =>
  readFileSync(new URL(`../../assembly/${name}.ts`, import.meta.url), 'utf8').replaceAll(
    /\/\*[\s\S]*?\*\/|\/\/.*/g,
    '',
  );

/** A file's numbers by name. */
function constantsOf(text: string): Map<string, number> {
  return new Map(
    [...text.matchAll(/export const (\w+): \w+ = (\d+);/g)].map(([, name, value]) => [name!, Number(value)]),
  );
}

/** A file's classes: the fields of each, in order, with their types. */
function classesOf(text: string): Map<string, [name: string, type: string][]> {
  return new Map(
    [...text.matchAll(/export class (\w+)[^{]*\{([^}]*)\}/g)].map(([, name, body]) => [
      name!,
      [...body!.matchAll(/(\w+): (\w+);/g)].map(([, field, type]) => [field!, type!]),
    ]),
  );
}

const upper = (name: string) => name.replaceAll(/([a-z])([A-Z])/g, '$1_$2').toUpperCase();

const text = source('abi/operations');
const opcodes = constantsOf(text);
const classes = classesOf(text);

describe('the operations', () => {
  const names = Object.keys(OPERATIONS) as OperationName[];

  it('are the same on both sides, in the same order', () => {
    expect(names).toHaveLength(31);
    expect([...classes.keys()]).toEqual(['Operation', ...names]);
    expect(classes.get('Operation')).toEqual([
      ['opcode', 'i32'],
      ['barrier', 'i32'],
    ]);
    expect([...opcodes.keys()]).toEqual(['RECORD_BYTES', 'END', ...names.map(upper)]);
    expect(opcodes.get('END')).toBe(0);
  });

  it.each(names)('%s has the same opcode and fields, in names, order and types', (name) => {
    const { opcode, fields } = OPERATIONS[name];
    expect(opcode).toBe(opcodes.get(upper(name)));
    // The host writes strides as numbers and every other usize as an address.
    const expected = classes
      .get(name)!
      .map(([field, type]) => [field, type === 'usize' ? (/stride$/i.test(field) ? 'i32' : 'place') : type]);
    expect(Object.entries(fields)).toEqual(expected);
    expect(8 + 4 * expected.length).toBeLessThanOrEqual(opcodes.get('RECORD_BYTES')!);
  });

  it('each have an opcode of their own, and one place in the core that runs it', () => {
    expect(new Set(names.map((name) => OPERATIONS[name].opcode)).size).toBe(names.length);
    const folder = new URL('../../assembly/net/', import.meta.url);
    const net = readdirSync(folder).map((file) => source(`net/${file.replace(/\.ts$/, '')}`));
    for (const name of names) {
      const runs = net.flatMap((file) => file.match(new RegExp(`opcode == ${upper(name)}\\b`, 'g')) ?? []);
      const cases = net.flatMap((file) => file.match(new RegExp(`case ${upper(name)}\\b`, 'g')) ?? []);
      expect([...runs, ...cases], name).toHaveLength(1);
    }
  });
});

it('the words of a batch are the same on both sides, in names, order and types', () => {
  const expected = classesOf(source('abi/batch')).get('Batch')!;
  const words = BATCH_WORDS.map((word) => [word, FLOAT_WORDS.includes(word)]);
  expect(words).toEqual(expected.map(([word, type]) => [word, type === 'f32']));
  expect(expected.every(([, type]) => ['f32', 'i32', 'u32', 'usize'].includes(type))).toBe(true);
});

it('the kinds of activations, rows, steps and losses have the same numbers on both sides', () => {
  const activations = constantsOf(source('nn/activation'));
  for (const [name, { kind }] of Object.entries(ACTIVATIONS)) {
    expect(kind, name).toBe(activations.get(upper(name)));
  }
  const rows = constantsOf(source('layout/rows'));
  expect(ROW_KINDS).toEqual({
    plain: rows.get('ROWS_F32'),
    relu: rows.get('ROWS_RELU'),
    pixels: rows.get('ROWS_U8'),
  });
  const steps = constantsOf(source('optim/step'));
  for (const [name, kind] of Object.entries(STEP_KINDS)) expect(kind, name).toBe(steps.get(upper(name)));
  const squared = constantsOf(source('loss/squared'));
  expect([squared.get('SQUARED'), squared.get('HUBER')]).toEqual([0, 1]);
});

it.each(cores)('the build $build has records and a state block of these sizes', (core) => {
  const { constants } = probeCore(core);
  expect(constants.recordBytes).toBe(opcodes.get('RECORD_BYTES'));
  expect(constants.stateBytes).toBe(constants.teamBytes + 4 * BATCH_WORDS.length);
  expect(constants.factorVectors).toBe(constantsOf(source('optim/step')).get('FACTOR_VECTORS'));
});
