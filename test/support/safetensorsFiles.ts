import { expect } from 'vitest';
import { FileContentError } from '../../src/core/errors.js';

/** A safetensors file of any header and data, right or wrong: a text is taken as it is, anything else as JSON. */
export function rawFile(header: unknown, data: Uint8Array = new Uint8Array(0)): Buffer {
  const json = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  return Buffer.concat([headerLength(BigInt(json.length)), json, data]);
}

export function headerLength(length: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(length);
  return bytes;
}

/** The message of the FileContentError that this throws; any other error, and none, fails the test. */
export function refusal(run: () => unknown): string {
  let thrown: unknown;
  try {
    run();
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(FileContentError);
  return (thrown as Error).message;
}

/** Whether it was read rather than refused with a FileContentError; any other error fails the test. */
export function isRead(run: () => unknown): boolean {
  try {
    run();
    return true;
  } catch (error) {
    if (error instanceof FileContentError) return false;
    throw error;
  }
}
