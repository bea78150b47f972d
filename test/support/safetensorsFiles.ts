import { FileContentError } from '../../src/core/errors.js';
import { storeFloats, writeSafetensors } from '../../src/run/safetensors.js';
import { thrownBy } from './thrown.js';

/** A safetensors file with any header and data, valid or not. A text is used unchanged, anything else is written as JSON. */
export function rawFile(header: unknown, data: Uint8Array = new Uint8Array(0)): Buffer {
  const json = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  return Buffer.concat([headerLength(BigInt(json.length)), json, data]);
}

/** The first 8 bytes of a safetensors file. */
export function headerLength(length: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(length);
  return bytes;
}

/** Message and hint of the FileContentError that the function throws. Anything else fails the test. */
export function refusal(run: () => unknown): string {
  return thrownBy(FileContentError, run);
}

/** Whether the function returns rather than throwing a FileContentError. Any other error fails the test. */
export function isRead(run: () => unknown): boolean {
  try {
    run();
    return true;
  } catch (error) {
    if (error instanceof FileContentError) return false;
    throw error;
  }
}

/** A small safetensors file with two tensors and metadata. */
export function smallSafetensors(): Uint8Array {
  return writeSafetensors({
    metadata: { format: 'pt', note: 'é"\n' },
    tensors: new Map([
      ['a', storeFloats(Float32Array.of(1, -2.5), [2])],
      ['b', storeFloats(Float64Array.of(0.1), [1, 1])],
    ]),
  });
}
