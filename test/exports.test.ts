import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import * as core from '../dist/bindings/index.js';
import * as experiment from '../dist/experiment/index.js';
import * as portable from '../dist/index.js';
import * as node from '../dist/node.js';
import * as charts from '../dist/report/charts.js';
import * as tables from '../dist/table/node.js';

// What the package promises: its entries, each export with a doc comment, functions and classes with an example.

const ROOT = fileURLToPath(new URL('..', import.meta.url));

const sources = ['src', 'bindings'].flatMap((folder) =>
  readdirSync(join(ROOT, folder), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8')),
);

/** The doc comments of a name, wherever a declaration of it is exported. */
function commentsOf(name: string): string[] {
  const declared = new RegExp(
    `(?:/\\*\\*((?:(?!\\*/)[\\s\\S])*)\\*/\\n)?export (?:async )?(?:function\\*?|class|const) ${name}\\b`,
    'g',
  );
  return sources.flatMap((source) => [...source.matchAll(declared)].map(([, comment]) => comment ?? ''));
}

const entries = { portable, node, core, experiment, tables, charts };
const values = new Map(Object.values(entries).flatMap((entry) => Object.entries(entry)));

describe('what the package exports', () => {
  it('is found in the sources', () => {
    expect(values.size).toBeGreaterThan(55);
    expect([...values.keys()].filter((name) => commentsOf(name).length === 0)).toEqual([]);
  });

  it('has a doc comment, name by name', () => {
    const bare = [...values.keys()].filter(
      (name) => !commentsOf(name).some((comment) => comment.trim() !== ''),
    );
    expect(bare).toEqual([]);
  });

  it('has an example where it is called', () => {
    const callable = [...values].filter(([, value]) => typeof value === 'function').map(([name]) => name);
    expect(callable.length).toBeGreaterThan(40);
    expect(
      callable.filter((name) => !commentsOf(name).some((comment) => comment.includes('@example'))),
    ).toEqual([]);
  });

  it('is the same in Node, and the files of Node beside it', () => {
    const more = Object.keys(node).filter((name) => !(name in portable));
    expect(more.sort()).toEqual(
      [
        'describeTensors',
        'loadWeights',
        'readImage',
        'readModel',
        'saveWeights',
        'tensorBoard',
        'weightsFileName',
        'writeModel',
      ].sort(),
    );
    for (const [name, value] of Object.entries(portable)) expect(node).toHaveProperty(name, value);
    for (const [name, value] of Object.entries(core)) expect(portable).toHaveProperty(name, value);
  });
});
