import { describe, expect, it } from 'vitest';
import { FileContentError, fullMessage, NumericalError, namingFile, SystemError, UsageError } from '../../src/core/errors.js';

describe('an error', () => {
  it.each([
    [UsageError, 'UsageError'],
    [FileContentError, 'FileContentError'],
    [SystemError, 'SystemError'],
    [NumericalError, 'NumericalError'],
  ])('has its own class and name: %o', (Kind, name) => {
    const error = new Kind('message');
    expect(error).toBeInstanceOf(Error);
    expect(error.name).toBe(name);
    for (const Other of [UsageError, FileContentError, SystemError, NumericalError]) expect(error instanceof Other).toBe(Other === Kind);
  });
});

describe('fullMessage', () => {
  it('joins message and hint with a semicolon', () => {
    expect(fullMessage(new SystemError('no run yet', { hint: 'train one' }))).toBe('no run yet; train one');
    const error = new SystemError('no run yet', { hint: 'train one', command: 'train --steps 5' });
    expect(fullMessage(error)).toBe('no run yet; train one: backprop-ninja train --steps 5');
    expect(fullMessage(error, 'npx backprop-ninja')).toBe('no run yet; train one: npx backprop-ninja train --steps 5');
  });

  it.each([new UsageError('no hint'), new TypeError('no hint')])('is the message of an error without a hint: %o', (error) => {
    expect(fullMessage(error)).toBe('no hint');
  });
});

describe('namingFile', () => {
  const thrownBy = (run: () => unknown): unknown => {
    try {
      namingFile('my file', run);
    } catch (error) {
      return error;
    }
    throw new Error('nothing was thrown');
  };

  it('returns the result of the check', () => {
    expect(namingFile('x', () => 42)).toBe(42);
  });

  it('puts the path in front of the message, and keeps hint and cause', () => {
    const cause = new FileContentError('damaged', { hint: 'restore a copy' });
    const thrown = thrownBy(() => {
      throw cause;
    });
    expect(thrown).toBeInstanceOf(FileContentError);
    expect(fullMessage(thrown as Error)).toBe("'my file': damaged; restore a copy");
    expect((thrown as Error).cause).toBe(cause);
  });

  it.each([new SystemError('gone'), new TypeError('a bug')])('passes other errors unchanged: %o', (error) => {
    expect(
      thrownBy(() => {
        throw error;
      }),
    ).toBe(error);
  });
});
