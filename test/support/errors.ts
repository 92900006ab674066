import { expect } from 'vitest';
import { TreadleError } from '../../dist/bindings/host.js';

/** Runs an action that must fail with a TreadleError of the given code, and returns that error. */
export async function failure(code: string, action: () => unknown): Promise<TreadleError> {
  const error: unknown = await Promise.resolve()
    .then(action)
    .then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
  expect(error).toBeInstanceOf(TreadleError);
  const treadleError = error as TreadleError;
  expect(`${treadleError.code}: ${treadleError.message}`).toMatch(new RegExp(`^${code}: `));
  return treadleError;
}
