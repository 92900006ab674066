import { basename, dirname, join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { isInProject, recordedPath, shown } from '../../dist/node/paths.js';

const here = process.cwd();
const above = dirname(here);

describe('a path as it is shown', () => {
  it('is relative inside the current folder, and absolute outside', () => {
    expect(shown('weights/a.pkl')).toBe(join('weights', 'a.pkl'));
    expect(shown(join(here, 'weights', 'a.pkl'))).toBe(join('weights', 'a.pkl'));
    expect(shown(here)).toBe('.');
    expect(shown(join('..', 'weights'))).toBe(join(above, 'weights'));
    expect(shown('/weights/a.pkl')).toBe(resolve('/weights/a.pkl'));
  });

  it('may begin with two points without leading out', () => {
    expect(shown('..weights/a.pkl')).toBe(join('..weights', 'a.pkl'));
    expect(shown(`${here}-2/weights`)).toBe(`${here}-2${join('/weights')}`);
  });
});

describe('a path in the record of a run', () => {
  it('is relative to the run in the current folder, and absolute out of it', () => {
    expect(recordedPath('weights', 'runs/a')).toBe('../../weights');
    expect(recordedPath(join(here, 'deep/weights'), 'runs/a')).toBe('../../deep/weights');
    expect(recordedPath('../weights', 'runs/a')).toBe(join(above, 'weights'));
    // The folder above the runs is above the current one here.
    expect(recordedPath('../weights', 'a')).toBe(join(above, 'weights'));
  });

  it('of a run elsewhere is relative in the folder that holds its runs', () => {
    expect(recordedPath('/project/weights', '/project/runs/a')).toBe('../../weights');
    expect(recordedPath('/other/weights', '/project/runs/a')).toBe(resolve('/other/weights'));
    expect(recordedPath('weights', '/project/runs/a')).toBe(join(here, 'weights'));
  });
});

it('a project is what holds the folder of runs', () => {
  expect(isInProject('/project/weights', '/project/runs/a')).toBe(true);
  expect(isInProject('/project-2/weights', '/project/runs/a')).toBe(false);
  expect(isInProject(here, join('runs', 'a'))).toBe(true);
  expect(isInProject(join('..', basename(here), 'weights'), join('runs', 'a'))).toBe(true);
});
