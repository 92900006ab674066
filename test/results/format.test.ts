import { describe, expect, it } from 'vitest';
import { jobTitle } from '../../dist/experiment/job-title.js';
import { difference, figure, modelTitle, rateText } from '../../dist/results/format.js';

describe('figure', () => {
  it.each([
    [0, '0.0000'],
    [0.98765, '0.9877'],
    [-2.5, '-2.5000'],
    [0.00005, '0.0001'],
    [0.00004, '4.000e-5'],
    [999_999, '999999.0000'],
    [1_000_000, '1.000e+6'],
    [-1e21, '-1.000e+21'],
    [1.0259847610411246e20, '1.026e+20'],
    [null, '–'],
  ])('writes %d as %s', (value, text) => {
    expect(figure(value)).toBe(text);
  });
});

describe('difference', () => {
  it.each([
    [0.00004, '±0.0000'],
    [-0.5, '−0.5000'],
    [1e21, '+1.000e+21'],
  ])('writes %d as %s', (value, text) => {
    expect(difference(value)).toBe(text);
  });
});

describe('a learning rate', () => {
  it.each([
    [0.005, '0.005'],
    [1e-9, '1e-9'],
    [1000, '1000'],
    [1e20, '1e+20'],
    [1.5e7, '1.5e+7'],
  ])('%d is written as %s', (rate, text) => {
    expect(rateText(rate)).toBe(text);
    expect(modelTitle({ model: 'a', learningRate: rate })).toBe(`a at ${text}`);
    expect(jobTitle({ id: `a_${rate}`, model: 'a', learningRate: rate })).toBe(
      `Model a at learning rate ${text}`,
    );
  });
});
