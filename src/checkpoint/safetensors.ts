/**
 * The safetensors format: 8 bytes with the header's length (little-endian), a JSON header that gives each tensor's dtype,
 * shape and place, then the bytes of all tensors without gaps. https://github.com/huggingface/safetensors
 */
import { FileContentError } from '../errors.js';
import { type FloatArray, type Shape, showShape, sizeOf } from '../tensor.js';

export const MAX_HEADER_BYTES = 100_000_000;

const BYTES_PER_ENTRY = {
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
export type SafetensorsDType = keyof typeof BYTES_PER_ENTRY;

export interface StoredTensor {
  dtype: SafetensorsDType;
  shape: Shape;
  /** Little-endian, row-major. */
  bytes: Uint8Array;
}

export interface Safetensors {
  metadata: Readonly<Record<string, string>>;
  tensors: ReadonlyMap<string, StoredTensor>;
}

/** The file's bytes: the same for the same tensors in the same order. The header is padded with blanks to a multiple of 8. */
export function writeSafetensors({ metadata, tensors }: Safetensors): Uint8Array {
  const entries: [string, unknown][] = [['__metadata__', metadata]];
  let offset = 0;
  for (const [name, { dtype, shape, bytes }] of tensors) {
    entries.push([name, { dtype, shape, data_offsets: [offset, offset + bytes.length] }]);
    offset += bytes.length;
  }
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries(entries)));
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
 * Reads a file's bytes. Everything the format promises is checked before a tensor is touched.
 * @throws FileContentError that names what is wrong and where; the caller adds the path
 */
export function readSafetensors(file: Uint8Array): Safetensors {
  const header = readHeader(file);
  const data = file.subarray(8 + header.bytes);
  const tensors = new Map<string, StoredTensor>();
  let end = 0;
  for (const [name, start, stored] of Object.entries(header.json)
    .filter(([name]) => name !== '__metadata__')
    .map(([name, entry]) => readEntry(name, entry))
    .sort((a, b) => a[1] - b[1])) {
    if (start !== end) throw new FileContentError(`tensor ${JSON.stringify(name)} begins at byte ${start} of the data, expected ${end}`);
    end = start + stored.size;
    tensors.set(name, { dtype: stored.dtype, shape: stored.shape, bytes: data.subarray(start, end) });
  }
  if (data.length !== end) throw new FileContentError(`the file holds ${data.length} bytes of data, its header describes ${end}`);
  return { metadata: readMetadata(header.json.__metadata__), tensors };
}

function readHeader(file: Uint8Array): { bytes: number; json: Record<string, unknown> } {
  if (file.length < 8) throw new FileContentError(`no safetensors file: ${file.length} bytes, expected at least 8`);
  const length = new DataView(file.buffer, file.byteOffset).getBigUint64(0, true);
  if (length > MAX_HEADER_BYTES) {
    throw new FileContentError(`no safetensors file: header length ${length}, at most ${MAX_HEADER_BYTES} is allowed`);
  }
  const bytes = Number(length);
  if (8 + bytes > file.length) throw new FileContentError(`cut short: the header needs ${8 + bytes} bytes, the file has ${file.length}`);
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(file.subarray(8, 8 + bytes)));
  } catch {
    throw new FileContentError('no safetensors file: the header is not JSON in UTF-8');
  }
  if (!isRecord(json)) throw new FileContentError('no safetensors file: the header is not a JSON object');
  return { bytes, json };
}

function readEntry(name: string, entry: unknown): [name: string, start: number, { dtype: SafetensorsDType; shape: Shape; size: number }] {
  const refuse = (problem: string): never => {
    throw new FileContentError(`tensor ${JSON.stringify(name)}: ${problem}`);
  };
  if (!isRecord(entry)) return refuse('its header entry is not an object');
  const { dtype, shape, data_offsets: offsets } = entry;
  if (typeof dtype !== 'string' || !Object.hasOwn(BYTES_PER_ENTRY, dtype)) return refuse(`unknown dtype ${JSON.stringify(dtype)}`);
  if (!isCounts(shape)) return refuse(`shape ${JSON.stringify(shape)} is not a list of whole numbers`);
  if (!isCounts(offsets) || offsets.length !== 2 || offsets[0] > offsets[1]) {
    return refuse(`data_offsets ${JSON.stringify(offsets)} are not a beginning and an end`);
  }
  const known = dtype as SafetensorsDType;
  const size = sizeOf(shape) * BYTES_PER_ENTRY[known];
  if (offsets[1] - offsets[0] !== size) {
    return refuse(`${showShape(shape)} of ${dtype} takes ${size} bytes, its data_offsets span ${offsets[1] - offsets[0]}`);
  }
  return [name, offsets[0], { dtype: known, shape, size }];
}

function readMetadata(metadata: unknown): Record<string, string> {
  if (metadata === undefined) return {};
  if (!isRecord(metadata) || !Object.values(metadata).every((value) => typeof value === 'string')) {
    throw new FileContentError('__metadata__ is not an object of strings');
  }
  return metadata as Record<string, string>;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);
}

/** Floats as a tensor of the file; the shape must hold them. */
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

/** The numbers of an F32 or F64 tensor, copied: its place in the file need not be aligned. */
export function loadFloats(name: string, { dtype, bytes }: StoredTensor): FloatArray {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (dtype === 'F32') return Float32Array.from({ length: bytes.length / 4 }, (_, i) => view.getFloat32(4 * i, true));
  if (dtype === 'F64') return Float64Array.from({ length: bytes.length / 8 }, (_, i) => view.getFloat64(8 * i, true));
  throw new FileContentError(`tensor ${JSON.stringify(name)} has dtype ${dtype}, expected F32 or F64`);
}

/** The numbers of an I32 or I64 tensor, each from 0 to below the limit. */
export function loadIndices(name: string, { dtype, shape, bytes }: StoredTensor, limit: number): Int32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const read = { I32: (i: number) => BigInt(view.getInt32(4 * i, true)), I64: (i: number) => view.getBigInt64(8 * i, true) };
  if (dtype !== 'I32' && dtype !== 'I64') {
    throw new FileContentError(`tensor ${JSON.stringify(name)} has dtype ${dtype}, expected I64 or I32`);
  }
  return Int32Array.from({ length: sizeOf(shape) }, (_, i) => {
    const index = read[dtype](i);
    if (index < 0n || index >= BigInt(limit)) {
      throw new FileContentError(`tensor ${JSON.stringify(name)} holds the index ${index}, expected 0 to ${limit - 1}`);
    }
    return Number(index);
  });
}
