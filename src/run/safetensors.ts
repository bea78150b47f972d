/**
 * The safetensors format: 8 bytes with the header's length (little-endian), a JSON header with dtype, shape and place of each
 * tensor, then the bytes of all tensors without gaps. https://github.com/huggingface/safetensors
 */
import { FileContentError } from '../core/errors.js';
import { RECOGNISABLE_BYTES, recognise } from '../core/recognise.js';
import { type FloatArray, type Shape, showShape, sizeOf } from '../core/tensor.js';
import { quoteText } from '../core/text.js';
import { decodeUtf8, firstInvalidByte } from '../core/utf8.js';

const MAX_HEADER_BYTES = 100_000_000;

/** Data types of the format, and the bytes that an entry takes. */
export const BYTES_PER_ENTRY = {
  F64: 8,
  F32: 4,
  F16: 2,
  BF16: 2,
  I64: 8,
  I32: 4,
  I16: 2,
  I8: 1,
  U64: 8,
  U32: 4,
  U16: 2,
  U8: 1,
  BOOL: 1,
} as const;
/** Data types of the format; the numbers in their names are bits. */
export type SafetensorsDType = keyof typeof BYTES_PER_ENTRY;

/** A tensor of a file. */
export interface StoredTensor {
  dtype: SafetensorsDType;
  shape: Shape;
  /** Its entries, little-endian and row-major. */
  bytes: Uint8Array;
}

/** The content of a file: strings under __metadata__, and tensors by name in the order of their data. */
export interface Safetensors {
  metadata: Readonly<Record<string, string>>;
  tensors: ReadonlyMap<string, StoredTensor>;
}

/**
 * The bytes of a file. The same content in the same order always gives the same bytes. Spaces pad the header to a multiple of 8 bytes.
 */
export function writeSafetensors({ metadata, tensors }: Safetensors): Uint8Array {
  const entries: [string, unknown][] = [['__metadata__', metadata]];
  let offset = 0;
  for (const [name, { dtype, shape, bytes }] of tensors) {
    entries.push([name, { dtype, shape, data_offsets: [offset, offset + bytes.length] }]);
    offset += bytes.length;
  }
  // Joined by hand, because an object would put names that are numbers first.
  const members = entries.map(([name, entry]) => `${JSON.stringify(name)}:${JSON.stringify(entry)}`);
  const json = new TextEncoder().encode(`{${members.join()}}`);
  const headerBytes = Math.ceil(json.length / 8) * 8;
  const file = new Uint8Array(8 + headerBytes + offset);
  new DataView(file.buffer).setBigUint64(0, BigInt(headerBytes), true);
  file.set(json, 8);
  file.fill(0x20, 8 + json.length, 8 + headerBytes);
  let position = 8 + headerBytes;
  for (const { bytes } of tensors.values()) {
    file.set(bytes, position);
    position += bytes.length;
  }
  return file;
}

/**
 * Reads the bytes of a file. The whole header is checked first: known dtypes, sizes that match, no gaps, overlaps or duplicate names.
 * The tensors share the memory of `file`.
 * @throws FileContentError if the bytes are not a valid safetensors file; the message names the tensor or the place
 */
export function readSafetensors(file: Uint8Array): Safetensors {
  const { metadata, entries, dataStart } = readHeader(file.length, (start, length) => file.subarray(start, start + length));
  const data = file.subarray(dataStart);
  const tensors = entries.map(({ name, dtype, shape, start, end }) => [name, { dtype, shape, bytes: data.subarray(start, end) }] as const);
  return { metadata, tensors: new Map(tensors) };
}

/**
 * Checks a file's size and header without reading its data.
 * @param size of the file in bytes
 * @param read returns `length` bytes of the file from `start` on
 * @throws FileContentError as {@link readSafetensors} does
 */
export function checkHeader(size: number, read: (start: number, length: number) => Uint8Array): void {
  readHeader(size, read);
}

/** Position at which the header of a valid file ends and its data begins. */
export function headerEnd(file: Uint8Array): number {
  return 8 + Number(new DataView(file.buffer, file.byteOffset).getBigUint64(0, true));
}

/** A tensor's entry in the header; start and end are positions in the data. */
interface HeaderEntry {
  name: string;
  dtype: SafetensorsDType;
  shape: Shape;
  start: number;
  end: number;
}

interface Header {
  metadata: Record<string, string>;
  entries: HeaderEntry[];
  dataStart: number;
}

function readHeader(size: number, read: (start: number, length: number) => Uint8Array): Header {
  const other = recognise(read(0, Math.min(size, RECOGNISABLE_BYTES)));
  if (other && other.group !== 'safetensors') {
    const { kind, hint, shell } = other;
    throw new FileContentError(`not a safetensors file: this is ${kind}`, {
      ...(hint !== undefined && { hint }),
      ...(shell !== undefined && { shell }),
    });
  }
  if (size < 8) throw new FileContentError(`not a safetensors file: ${size === 1 ? '1 byte' : `${size} bytes`}, expected at least 8`);
  const first = read(0, 8);
  const length = new DataView(first.buffer, first.byteOffset).getBigUint64(0, true);
  if (length > MAX_HEADER_BYTES) {
    throw new FileContentError(`not a safetensors file: header length ${length}, the limit is ${MAX_HEADER_BYTES}`);
  }
  const dataStart = 8 + Number(length);
  if (dataStart > size) throw new FileContentError(`truncated: the header needs ${dataStart} bytes, the file has ${size}`);
  const json = parseHeader(read(8, Number(length)));
  const entries = Object.entries(json)
    .filter(([name]) => name !== '__metadata__')
    .map(([name, entry]) => readEntry(name, entry))
    .sort((a, b) => a.start - b.start || a.end - b.end);
  checkPlaces(entries, size - dataStart);
  return { metadata: readMetadata(json.__metadata__), entries, dataStart };
}

/** The tensors fill the data without gaps, overlaps or a rest. */
function checkPlaces(entries: readonly HeaderEntry[], dataBytes: number): void {
  let end = 0;
  for (const entry of entries) {
    if (entry.start !== end) {
      throw new FileContentError(`tensor ${quoteName(entry.name)} begins at byte ${entry.start} of the data, expected ${end}`);
    }
    end = entry.end;
  }
  if (dataBytes !== end) throw new FileContentError(`the file holds ${dataBytes} bytes of data, its header describes ${end}`);
}

function parseHeader(bytes: Uint8Array): Record<string, unknown> {
  const invalid = firstInvalidByte(bytes);
  if (invalid !== undefined)
    throw new FileContentError(`not a safetensors file: the header is not valid UTF-8 at byte ${8 + invalid} of the file`);
  const text = decodeUtf8(bytes);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    // The message of V8 usually contains the position.
    const position = /position (\d+)/.exec((error as Error).message)?.[1];
    const most = position === undefined ? text.length : Number(position) + 1;
    throw new FileContentError(`not a safetensors file: the header is not valid JSON within its first ${most} characters`);
  }
  checkNesting(text);
  if (!isRecord(json)) throw new FileContentError('not a safetensors file: the header is not a JSON object');
  return json;
}

/** A header is an object that holds objects, which hold lists. */
const MAX_DEPTH = 3;

/** Refuses what JSON.parse accepts: a duplicate key, the key `__proto__`, and deeper nesting. The text is valid JSON. */
function checkNesting(text: string): void {
  const keys: Set<string>[] = [];
  for (let at = 0; at < text.length; at++) {
    const token = text[at];
    if (token === '{' || token === '[') keys.push(new Set());
    else if (token === '}' || token === ']') keys.pop();
    else if (token === '"') {
      const end = endOfString(text, at);
      let next = end;
      while (' \t\n\r'.includes(text[next])) next++;
      if (text[next] === ':') addKey(keys[keys.length - 1], JSON.parse(text.slice(at, end)) as string);
      at = end - 1;
    }
    if (keys.length > MAX_DEPTH) {
      throw new FileContentError(`not a safetensors file: the header is nested more than ${MAX_DEPTH} levels deep at character ${at}`);
    }
  }
}

/** Position after the JSON string that starts at `start`. */
function endOfString(text: string, start: number): number {
  let end = start + 1;
  while (text[end] !== '"') end += text[end] === '\\' ? 2 : 1;
  return end + 1;
}

function addKey(seen: Set<string>, key: string): void {
  if (seen.has(key) || key === '__proto__') {
    throw new FileContentError(`the header has the key ${quoteName(key)}${seen.has(key) ? ' twice' : ''}`);
  }
  seen.add(key);
}

function readEntry(name: string, entry: unknown): HeaderEntry {
  const refuse = (problem: string): never => {
    throw new FileContentError(`tensor ${quoteName(name)}: ${problem}`);
  };
  if (!isRecord(entry)) return refuse('its header entry is not an object');
  const { dtype, shape, data_offsets: offsets } = entry;
  if (typeof dtype !== 'string' || !Object.hasOwn(BYTES_PER_ENTRY, dtype)) return refuse(`unknown dtype ${quoteValue(dtype)}`);
  if (!isCounts(shape)) return refuse(`shape ${quoteValue(shape)} is not a list of non-negative integers`);
  if (!isCounts(offsets) || offsets.length !== 2 || offsets[0] > offsets[1]) {
    return refuse(`data_offsets ${quoteValue(offsets)} are not a start and an end`);
  }
  const known = dtype as SafetensorsDType;
  const size = sizeOf(shape) * BYTES_PER_ENTRY[known];
  if (offsets[1] - offsets[0] !== size) {
    return refuse(`${quoteText(showShape(shape))} of ${dtype} takes ${size} bytes, its data_offsets span ${offsets[1] - offsets[0]}`);
  }
  return { name, dtype: known, shape, start: offsets[0], end: offsets[1] };
}

function readMetadata(metadata: unknown): Record<string, string> {
  if (metadata === undefined) return {};
  if (!isRecord(metadata) || !Object.values(metadata).every((value) => typeof value === 'string')) {
    throw new FileContentError('__metadata__ is not an object of strings');
  }
  return metadata as Record<string, string>;
}

function quoteName(name: string): string {
  return `"${quoteText(name)}"`;
}

function quoteValue(value: unknown): string {
  return quoteText(JSON.stringify(value) ?? 'none');
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);
}

/**
 * Floats as a tensor for a file: F32 or F64, after the array's type.
 * @param shape with as many entries as `data`
 */
export function storeFloats(data: FloatArray, shape: Shape): StoredTensor {
  const bytes = new Uint8Array(data.byteLength);
  const view = new DataView(bytes.buffer);
  const wide = data instanceof Float64Array;
  for (let i = 0; i < data.length; i++) {
    if (wide) view.setFloat64(8 * i, data[i], true);
    else view.setFloat32(4 * i, data[i], true);
  }
  return { dtype: wide ? 'F64' : 'F32', shape, bytes };
}

/**
 * Integers as an I64 tensor for a file.
 * @param shape with as many entries as `values`
 */
export function storeIndices(values: ArrayLike<number>, shape: Shape): StoredTensor {
  const bytes = new Uint8Array(8 * values.length);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < values.length; i++) view.setBigInt64(8 * i, BigInt(values[i]), true);
  return { dtype: 'I64', shape, bytes };
}

/**
 * The numbers of an F32 or F64 tensor, copied, because its place in the file need not be aligned.
 * @param name for messages
 * @throws FileContentError for another dtype
 */
export function loadFloats(name: string, { dtype, bytes }: StoredTensor): FloatArray {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (dtype === 'F32') return Float32Array.from({ length: bytes.length / 4 }, (_, i) => view.getFloat32(4 * i, true));
  if (dtype === 'F64') return Float64Array.from({ length: bytes.length / 8 }, (_, i) => view.getFloat64(8 * i, true));
  throw new FileContentError(`tensor ${quoteName(name)} has dtype ${dtype}, expected F32 or F64`);
}

/** Reads an integer at a position of a tensor's bytes. */
const INTEGERS: { readonly [D in SafetensorsDType]?: (view: DataView, i: number) => number | bigint } = {
  I64: (view, i) => view.getBigInt64(8 * i, true),
  I32: (view, i) => view.getInt32(4 * i, true),
  I16: (view, i) => view.getInt16(2 * i, true),
  I8: (view, i) => view.getInt8(i),
  U64: (view, i) => view.getBigUint64(8 * i, true),
  U32: (view, i) => view.getUint32(4 * i, true),
  U16: (view, i) => view.getUint16(2 * i, true),
  U8: (view, i) => view.getUint8(i),
};

/**
 * The numbers of an integer tensor.
 * @param name for messages
 * @param limit every number must be at least 0 and below it
 * @throws FileContentError for another dtype, or a number outside the range
 */
export function loadIndices(name: string, { dtype, shape, bytes }: StoredTensor, limit: number): Int32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const read = INTEGERS[dtype];
  if (read === undefined) {
    throw new FileContentError(`tensor ${quoteName(name)} has dtype ${dtype}, expected I64 or I32`);
  }
  return Int32Array.from({ length: sizeOf(shape) }, (_, i) => {
    const index = read(view, i);
    if (index < 0 || index >= limit) {
      throw new FileContentError(`tensor ${quoteName(name)} holds the index ${index}, expected 0 to ${limit - 1}`);
    }
    return Number(index);
  });
}
