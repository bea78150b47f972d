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
