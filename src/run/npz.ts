/**
 * NumPy's .npz: a zip archive with one .npy file per array. A .npy file is a magic number, a version, the header's length, the header (a
 * Python dictionary with type, order and shape), and the entries. https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
 */
import { FileContentError, namingFile } from '../core/errors.js';
import { RECOGNISABLE_BYTES, recognise } from '../core/recognise.js';
import { type Shape, showShape, sizeOf } from '../core/tensor.js';
import { quoteText } from '../core/text.js';
import { decodeLatin1, decodeUtf8 } from '../core/utf8.js';
import { BYTES_PER_ENTRY, type Safetensors, type SafetensorsDType, type StoredTensor } from './safetensors.js';
import { readZip, writeZip } from './zip.js';

/** NumPy's name of each data type that it has; a byte order precedes it. */
const NUMPY_NAMES: Readonly<Partial<Record<SafetensorsDType, string>>> = {
  F64: 'f8',
  F32: 'f4',
  F16: 'f2',
  I64: 'i8',
  I32: 'i4',
  I16: 'i2',
  I8: 'i1',
  U64: 'u8',
  U32: 'u4',
  U16: 'u2',
  U8: 'u1',
  BOOL: 'b1',
};
const DTYPES = new Map(Object.entries(NUMPY_NAMES).map(([dtype, name]) => [name, dtype as SafetensorsDType]));

const MAGIC = '\x93NUMPY';
/** The header, with all that precedes it, fills a multiple of this number of bytes. */
const ALIGNMENT = 64;
/** The header of an array of numbers is shorter by far. */
const MAX_HEADER_BYTES = 2 ** 16;
/** NumPy's own limit. */
const MAX_DIMENSIONS = 64;

/**
 * The arrays of a .npz file by name, without ".npy", in the order of the archive. Column-major arrays become row-major, big-endian ones
 * little-endian.
 * @throws FileContentError if the bytes are not a valid .npz file, or an array holds Python objects, text or complex numbers; the message
 * names the array
 */
export function readNpz(file: Uint8Array): Map<string, StoredTensor> {
  const start = file.subarray(0, RECOGNISABLE_BYTES);
  const found = recognise(start);
  if (!decodeLatin1(start).startsWith('PK') || found?.kind.includes('.pt')) {
    const hint = found?.kind.includes('.npy') ? 'write it with numpy.savez, which keeps the names' : found?.hint;
    throw new FileContentError(`not a NumPy archive (.npz)${found ? `: this is ${found.kind}` : ''}`, hint === undefined ? {} : { hint });
  }
  const tensors = new Map<string, StoredTensor>();
  for (const [name, bytes] of readZip(file)) {
    if (!name.endsWith('.npy'))
      throw new FileContentError(`not a NumPy archive (.npz): it holds "${quoteText(name)}", expected .npy files`);
    tensors.set(
      name.slice(0, -'.npy'.length),
      namingFile(name, () => readNpy(bytes)),
    );
  }
  return tensors;
}

/** The bytes of a .npz file, as numpy.savez lays them out. The same arrays in the same order always give the same bytes. */
export function writeNpz(tensors: Safetensors['tensors']): Uint8Array {
  return writeZip(new Map([...tensors].map(([name, tensor]) => [`${name}.npy`, npyBytes(tensor)])));
}

function npyBytes({ dtype, shape, bytes }: StoredTensor): Uint8Array {
  const name = NUMPY_NAMES[dtype];
  if (name === undefined) throw new TypeError(`NumPy has no ${dtype}`);
  const order = BYTES_PER_ENTRY[dtype] === 1 ? '|' : '<';
  const tuple = `(${shape.join(', ')}${shape.length === 1 ? ',' : ''})`;
  const header = `{'descr': '${order}${name}', 'fortran_order': False, 'shape': ${tuple}, }`;
  const length = Math.ceil((MAGIC.length + 4 + header.length + 1) / ALIGNMENT) * ALIGNMENT;
  const file = new Uint8Array(length + bytes.length);
  const text = `${MAGIC}\x01\0\0\0${header}`.padEnd(length - 1, ' ');
  for (let i = 0; i < text.length; i++) file[i] = text.charCodeAt(i);
  new DataView(file.buffer).setUint16(MAGIC.length + 2, length - MAGIC.length - 4, true);
  file[length - 1] = '\n'.charCodeAt(0);
  file.set(bytes, length);
  return file;
}

function readNpy(file: Uint8Array): StoredTensor {
  const { header, dataStart } = headerText(file);
  const { descr, columnMajor, shape } = parseHeader(header);
  const { dtype, bigEndian } = parseType(descr);
  const data = file.subarray(dataStart);
  const width = BYTES_PER_ENTRY[dtype];
  if (sizeOf(shape) * width !== data.length) {
    throw new FileContentError(`${quoteText(showShape(shape))} of ${descr} takes ${sizeOf(shape) * width} bytes, found ${data.length}`);
  }
  const ordered = bigEndian && width > 1 ? reversedEntries(data, width) : data;
  return { dtype, shape, bytes: columnMajor ? rowMajor(ordered, shape, width) : ordered };
}

function headerText(file: Uint8Array): { header: string; dataStart: number } {
  if (decodeLatin1(file.subarray(0, MAGIC.length)) !== MAGIC || file.length < 12) throw new FileContentError('not a NumPy array');
  const version = file[6];
  if (version < 1 || version > 3) throw new FileContentError(`NumPy format version ${version}, expected 1, 2 or 3`);
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const start = version === 1 ? 10 : 12;
  const dataStart = start + (version === 1 ? view.getUint16(8, true) : view.getUint32(8, true));
  if (dataStart - start > MAX_HEADER_BYTES)
    throw new FileContentError(`a header of ${dataStart - start} bytes, the limit is ${MAX_HEADER_BYTES}`);
  if (dataStart > file.length) throw new FileContentError(`truncated: the header needs ${dataStart} bytes, found ${file.length}`);
  const bytes = file.subarray(start, dataStart);
  return { header: version === 3 ? decodeUtf8(bytes) : decodeLatin1(bytes), dataStart };
}

/** A dictionary with exactly the keys descr, fortran_order and shape. Python 2 wrote sizes as 3L. */
function parseHeader(header: string): { descr: string; columnMajor: boolean; shape: Shape } {
  const values = new Map<string, string>();
  const refuse = () => new FileContentError(`the header is not that of a NumPy array: ${quoteText(header.trim())}`);
  const body = /^\s*\{([\s\S]*)\}\s*$/.exec(header)?.[1];
  const member = /\s*(?:'(\w+)'|"(\w+)")\s*:\s*('[^']*'|"[^"]*"|True|False|\([\dL,\s]*\)|\[[\s\S]*\])\s*(,\s*|$)/y;
  if (body === undefined) throw refuse();
  while (member.lastIndex < body.length) {
    const [, single, double, value] = member.exec(body) ?? [];
    const key = single ?? double;
    if (value === undefined || values.has(key)) throw refuse();
    values.set(key, value);
  }
  const [descr, order, tuple] = ['descr', 'fortran_order', 'shape'].map((key) => values.get(key));
  if (values.size !== 3 || !descr || !order || !tuple) throw refuse();
  if (descr.startsWith('[')) throw new FileContentError(`a structured array (${quoteText(descr)}), expected numbers of one type`);
  const shape = parseShape(tuple);
  if (!/^['"]/.test(descr) || !/^(True|False)$/.test(order) || !shape) throw refuse();
  return { descr: descr.slice(1, -1), columnMajor: order === 'True', shape };
}

/** (), (3,) or (3, 4); undefined if it is no such tuple. */
function parseShape(tuple: string): Shape | undefined {
  const inner = /^\(\s*((?:\d+L?\s*,\s*)*(?:\d+L?\s*)?)\)$/.exec(tuple)?.[1];
  if (inner === undefined) return undefined;
  const shape = (inner.match(/\d+/g) ?? []).map(Number);
  if (shape.length === 1 && !inner.includes(',')) return undefined;
  if (shape.length > MAX_DIMENSIONS) throw new FileContentError(`${shape.length} dimensions, the limit is ${MAX_DIMENSIONS}`);
  return shape.every(Number.isSafeInteger) ? shape : undefined;
}

const OTHER_TYPES: Readonly<Record<string, string>> = {
  O: 'Python objects',
  U: 'text',
  S: 'text',
  a: 'text',
  c: 'complex numbers',
  M: 'dates',
  m: 'durations',
  V: 'bytes without a type',
};

/** The type and byte order that '<f4' and the like describe. */
function parseType(descr: string): { dtype: SafetensorsDType; bigEndian: boolean } {
  const [, order, type] = /^([<>=|])(\w+)$/.exec(descr) ?? [];
  const dtype = DTYPES.get(type);
  if (dtype !== undefined && (order !== '|' || BYTES_PER_ENTRY[dtype] === 1)) return { dtype, bigEndian: order === '>' };
  const kind = OTHER_TYPES[type?.[0] ?? ''];
  throw new FileContentError(`the type is '${quoteText(descr)}'${kind ? ` (${kind})` : ''}, expected numbers such as '<f4' or '<f8'`, {
    hint: 'save arrays of numbers: numpy.savez(path, C=C, W1=W1, …)',
  });
}

/** A copy with the bytes of each entry in reverse. */
function reversedEntries(data: Uint8Array, width: number): Uint8Array {
  const out = new Uint8Array(data.length);
  for (let start = 0; start < data.length; start += width) {
    for (let i = 0; i < width; i++) out[start + i] = data[start + width - 1 - i];
  }
  return out;
}

/** A row-major copy of column-major entries. */
function rowMajor(data: Uint8Array, shape: Shape, width: number): Uint8Array {
  const out = new Uint8Array(data.length);
  const index = new Array<number>(shape.length).fill(0);
  const strides: number[] = [];
  shape.reduce((stride, size) => {
    strides.push(stride);
    return stride * size;
  }, width);
  for (let at = 0; at < out.length; at += width) {
    let from = 0;
    for (let dim = 0; dim < index.length; dim++) from += index[dim] * strides[dim];
    for (let i = 0; i < width; i++) out[at + i] = data[from + i];
    // The next row-major index: the last dimension counts first.
    for (let dim = index.length - 1; dim >= 0; dim--) {
      index[dim]++;
      if (index[dim] < shape[dim]) break;
      index[dim] = 0;
    }
  }
  return out;
}
