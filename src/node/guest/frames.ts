/**
 * Frames between a guest's process and its parent: a header in JSON, and the entries of arrays. Node's own channel would deserialize whatever
 * the process writes, of any size, and throw in the parent.
 */
import { readSync, writeSync } from 'node:fs';
import type { FloatArray, Shape } from '../../core/tensor.js';

/** File descriptors of a guest's process. */
export const REQUEST_FD = 3;
export const REPLY_FD = 4;

export const DTYPES = ['float32', 'float64', 'int32'] as const;

/** An array as a header describes it. */
export interface ArrayHead {
  name: string;
  dtype: (typeof DTYPES)[number];
  shape: Shape;
}

/** A tensor or indices under a name. */
export interface NamedArray {
  name: string;
  data: FloatArray | Int32Array;
  shape: Shape;
}

export interface Frame {
  /** With `arrays`: {@link ArrayHead}, in the order of their entries in the body. */
  header: unknown;
  body: Uint8Array;
}

/** Bytes of header and body of a frame: a line's text, a report on a layer of many inputs; a pass of seven results, in float64. */
const MAX_HEADER = 2 ** 22;
const MAX_BODY = 2 ** 24;
/** Length of the header and of the body, as uint32. */
const PREFIX = 8;

const KINDS = { float32: Float32Array, float64: Float64Array, int32: Int32Array } as const;

export function sizeOfEntry(dtype: ArrayHead['dtype']): number {
  return KINDS[dtype].BYTES_PER_ELEMENT;
}

export function encodeFrame(header: object, arrays: readonly NamedArray[] = []): Buffer {
  const heads = arrays.map(({ name, data, shape }): ArrayHead => ({ name, dtype: dtypeOf(data), shape }));
  const json = Buffer.from(JSON.stringify(arrays.length === 0 ? header : { ...header, arrays: heads }));
  const bodies = arrays.map(({ data }) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  const prefix = Buffer.alloc(PREFIX);
  prefix.writeUInt32LE(json.length, 0);
  prefix.writeUInt32LE(
    bodies.reduce((sum, { length }) => sum + length, 0),
    4,
  );
  return Buffer.concat([prefix, json, ...bodies]);
}

function dtypeOf(data: FloatArray | Int32Array): ArrayHead['dtype'] {
  if (data instanceof Int32Array) return 'int32';
  return data instanceof Float64Array ? 'float64' : 'float32';
}

/** The arrays of a body, each with its own memory. The heads fit the body. */
export function arraysIn(heads: readonly ArrayHead[], body: Uint8Array): NamedArray[] {
  let at = 0;
  return heads.map(({ name, dtype, shape }) => {
    const data = new KINDS[dtype](shape.reduce((product, size) => product * size, 1));
    new Uint8Array(data.buffer).set(body.subarray(at, at + data.byteLength));
    at += data.byteLength;
    return { name, data, shape };
  });
}

/** Puts frames together from chunks. */
export class FrameReader {
  #chunks: Uint8Array[] = [];
  #length = 0;
  /** Bytes of the frame to come; 0 while they are not known. */
  #needed = 0;

  /**
   * The frames that a chunk completes.
   * @throws RangeError if a frame is too large, SyntaxError if its header is not JSON
   */
  *push(chunk: Uint8Array): Generator<Frame> {
    this.#chunks.push(chunk);
    this.#length += chunk.length;
    while (this.#length >= PREFIX && this.#length >= this.#needed) {
      const all = this.#together();
      const [header, body] = lengthsIn(all);
      this.#needed = PREFIX + header + body;
      if (this.#length < this.#needed) return;
      yield frameOf(all, header, body);
      this.#chunks = [all.subarray(this.#needed)];
      this.#length -= this.#needed;
      this.#needed = 0;
    }
  }

  #together(): Buffer {
    if (this.#chunks.length > 1) this.#chunks = [Buffer.concat(this.#chunks)];
    const [all] = this.#chunks;
    return Buffer.from(all.buffer, all.byteOffset, all.byteLength);
  }
}

function lengthsIn(prefix: Buffer): [header: number, body: number] {
  const [header, body] = [prefix.readUInt32LE(0), prefix.readUInt32LE(4)];
  if (header > MAX_HEADER || body > MAX_BODY) throw new RangeError('the frame is too large');
  return [header, body];
}

function frameOf(bytes: Buffer, header: number, body: number): Frame {
  const start = PREFIX + header;
  return { header: JSON.parse(bytes.toString('utf8', PREFIX, start)), body: bytes.subarray(start, start + body) };
}

/** Waits for the next frame; undefined at the end of the stream. */
export function readFrame(fd: number): Frame | undefined {
  const prefix = readBytes(fd, PREFIX);
  if (!prefix) return undefined;
  const [header, body] = lengthsIn(prefix);
  const rest = readBytes(fd, header + body);
  return rest && frameOf(Buffer.concat([prefix, rest]), header, body);
}

function readBytes(fd: number, count: number): Buffer | undefined {
  const bytes = Buffer.alloc(count);
  for (let at = 0; at < count; ) {
    const read = patiently(() => readSync(fd, bytes, at, count - at, null));
    if (read === 0) return undefined;
    at += read;
  }
  return bytes;
}

/** Writes everything before it returns. */
export function writeBytes(fd: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) at += patiently(() => writeSync(fd, bytes, at, bytes.length - at));
}

const clock = new Int32Array(new SharedArrayBuffer(4));

/** Calls again while the other side is not ready: a stream of Node makes its file descriptor non-blocking. */
function patiently(call: () => number): number {
  for (;;) {
    try {
      return call();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      Atomics.wait(clock, 0, 0, 1);
    }
  }
}
