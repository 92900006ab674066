import { describe, expect, it } from 'vitest';
import { oneLine, preview, quote } from '../../dist/strict/text.js';

describe('preview', () => {
  it.each([
    [null, 'null'],
    [0.5, '0.5'],
    ['a"b', '"a\\"b"'],
    [[1, [true, {}], []], '[1,[true,{}],[]]'],
    [{ a: 1, 'b c': [null] }, '{"a":1,"b c":[null]}'],
    ['x'.repeat(58), `"${'x'.repeat(58)}"`],
    ['x'.repeat(59), `"${'x'.repeat(56)}...`],
    [new Array(1000).fill(7), `[${'7,'.repeat(28)}...`],
  ])('of %j', (value, text) => {
    expect(preview(value)).toBe(text);
  });

  it('is short for a value of any depth', () => {
    let deep: unknown = 1;
    for (let depth = 0; depth < 1_000_000; depth++) deep = [deep];
    expect(preview(deep)).toBe(`${'['.repeat(57)}...`);
  });
});

describe('text out of a file', () => {
  it('is printed on one line, in one direction', () => {
    expect(oneLine('a\n\u001b[2J\u009b\u2028\u202e\ud800é😀')).toBe(
      'a\\u000a\\u001b[2J\\u009b\\u2028\\u202e\\ud800é😀',
    );
    expect(quote('a"\n\u202e')).toBe('"a\\"\\n\\u202e"');
    expect(quote('x'.repeat(81))).toBe(`"${'x'.repeat(80)}…"`);
  });
});
