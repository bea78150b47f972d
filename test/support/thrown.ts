import { expect } from 'vitest';
import { fullMessage } from '../../src/core/errors.js';

/** Message and hint of the error that the function throws. An error of another class, or none, fails the test. */
export function thrownBy<E extends Error>(Kind: new (message: string) => E, run: () => unknown): string {
  let thrown: unknown;
  try {
    run();
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(Kind);
  return fullMessage(thrown as E);
}

/** The same for the error with which a promise is rejected. */
export async function rejectedBy<E extends Error>(Kind: new (message: string) => E, promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return thrownBy(Kind, () => {
    if (error !== undefined) throw error;
  });
}
