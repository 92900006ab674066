import { describe, expect, it } from 'vitest';
import { release, toShared } from '../../dist/data/shared.js';

describe('toShared', () => {
  it('copies into shared memory of the same length, whatever the view', () => {
    const array = Uint8Array.of(1, 2, 3, 4).subarray(1, 3);
    const shared = toShared(array);
    expect([...shared]).toEqual([2, 3]);
    expect(shared.buffer).toBeInstanceOf(SharedArrayBuffer);
    expect(shared.buffer.byteLength).toBe(2);
    expect(toShared(Buffer.from('ab')).constructor).toBe(Uint8Array);
    expect([...toShared(Uint32Array.of(7, 8))]).toEqual([7, 8]);
  });

  it('leaves shared memory as it is', () => {
    const shared = new Uint8Array(new SharedArrayBuffer(3));
    expect(toShared(shared)).toBe(shared);
  });
});

describe('release', () => {
  it('empties a large array and leaves small and shared ones', () => {
    const large = new Uint8Array(2 << 20);
    release(large);
    expect(large.length).toBe(0);
    const small = Buffer.from('small');
    release(small);
    expect(small.toString()).toBe('small');
    const shared = new Uint8Array(new SharedArrayBuffer(2 << 20));
    release(shared);
    expect(shared.length).toBe(2 << 20);
  });
});
