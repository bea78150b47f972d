/**
 * Reads and writes zip archives, as far as .npz files need it. fflate packs and unpacks; this module reads the archive's directory, because
 * fflate checks neither sizes nor checksums. Numbers are little-endian. https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
 */
import { inflateSync, zipSync } from 'fflate';
import { FileContentError } from '../core/errors.js';
import { quoteText } from '../core/text.js';
import { decodeUtf8 } from '../core/utf8.js';

/** More bytes than this are not unpacked: a small file can claim to hold petabytes. */
const MAX_UNPACKED_BYTES = 2 ** 30;
/** Deflate packs at most 1032 bytes into one. */
const MAX_RATIO = 1032;

const END_RECORD = 0x06054b50;
const END_RECORD_BYTES = 22;
/** The longest comment that may follow the end record. */
const MAX_COMMENT_BYTES = 0xffff;
const DIRECTORY_ENTRY = 0x02014b50;
const DIRECTORY_ENTRY_BYTES = 46;
const LOCAL_HEADER = 0x04034b50;
const LOCAL_HEADER_BYTES = 30;
const STORED = 0;
const DEFLATED = 8;

/** A file of the archive, as the directory describes it. */
interface Entry {
  name: string;
  flags: number;
  method: number;
  crc: number;
  packed: number;
  size: number;
  /** Position of its local header. */
  at: number;
}

/**
 * The files of an archive by name, in the order of its directory. All sizes are checked before anything is unpacked, and the checksum of each
 * file after.
 * @throws FileContentError if the archive is damaged, encrypted, has a file twice, or needs zip64
 */
export function readZip(archive: Uint8Array): Map<string, Uint8Array> {
  const entries = readDirectory(archive);
  let total = 0;
  for (const entry of entries) {
    checkEntry(entry);
    total += entry.size;
  }
  if (total > MAX_UNPACKED_BYTES) {
    throw new FileContentError(`the archive unpacks to ${total} bytes, the limit is ${MAX_UNPACKED_BYTES}`);
  }
  const files = new Map<string, Uint8Array>();
  for (const entry of entries) {
    if (files.has(entry.name)) throw new FileContentError(`the archive holds ${quote(entry.name)} twice`);
    files.set(entry.name, unpack(archive, entry));
  }
  return files;
}

/**
 * An archive with these files, not compressed, as numpy.savez writes it. The same files always give the same bytes.
 * @param files by name; a name may not contain a slash
 */
export function writeZip(files: ReadonlyMap<string, Uint8Array>): Uint8Array {
  // Text without a zone is local time, so the stored date is the same everywhere.
  return zipSync(Object.fromEntries(files), { level: STORED, mtime: '1980-01-01T00:00:00' });
}

function readDirectory(archive: Uint8Array): Entry[] {
  const view = viewOf(archive);
  const end = findEndRecord(view);
  const count = view.getUint16(end + 10, true);
  const size = view.getUint32(end + 12, true);
  let at = view.getUint32(end + 16, true);
  if (count === 0xffff || size === 0xffffffff || at === 0xffffffff)
    throw new FileContentError('the archive needs zip64, which is not supported');
  if (at + size > end) throw damaged('its directory lies outside the file');
  const stop = at + size;
  const entries: Entry[] = [];
  for (let i = 0; i < count; i++) {
    const { entry, next } = readEntry(archive, view, at, stop);
    entries.push(entry);
    at = next;
  }
  if (at !== stop) throw damaged(`its directory has ${stop - at} bytes more than its ${count} entries`);
  return entries;
}

/** Position of the end record: the last one whose comment fills the rest of the file. */
function findEndRecord(view: DataView): number {
  const last = view.byteLength - END_RECORD_BYTES;
  for (let at = last; at >= Math.max(0, last - MAX_COMMENT_BYTES); at--) {
    if (view.getUint32(at, true) === END_RECORD && at + END_RECORD_BYTES + view.getUint16(at + 20, true) === view.byteLength) return at;
  }
  throw new FileContentError('not a complete zip archive: its directory, which is at the end of the file, is missing', {
    hint: 'was the file copied or downloaded completely?',
  });
}

function readEntry(archive: Uint8Array, view: DataView, at: number, stop: number): { entry: Entry; next: number } {
  if (at + DIRECTORY_ENTRY_BYTES > stop || view.getUint32(at, true) !== DIRECTORY_ENTRY) throw damaged(`no directory entry at byte ${at}`);
  const nameBytes = view.getUint16(at + 28, true);
  const start = at + DIRECTORY_ENTRY_BYTES;
  const next = start + nameBytes + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
  if (next > stop) throw damaged(`the directory entry at byte ${at} is too long`);
  const entry = {
    name: decodeUtf8(archive.subarray(start, start + nameBytes)),
    flags: view.getUint16(at + 8, true),
    method: view.getUint16(at + 10, true),
    crc: view.getUint32(at + 16, true),
    packed: view.getUint32(at + 20, true),
    size: view.getUint32(at + 24, true),
    at: view.getUint32(at + 42, true),
  };
  return { entry, next };
}

function checkEntry({ name, flags, method, packed, size, at }: Entry): void {
  if (flags & 1) throw new FileContentError(`${quote(name)} is encrypted`);
  if (method !== STORED && method !== DEFLATED) {
    throw new FileContentError(`${quote(name)} is compressed with method ${method}, expected ${STORED} (stored) or ${DEFLATED} (deflated)`);
  }
  if ([packed, size, at].includes(0xffffffff)) throw new FileContentError(`${quote(name)} needs zip64, which is not supported`);
  if (method === STORED ? size !== packed : size > MAX_RATIO * packed) {
    throw damaged(`${quote(name)} cannot unpack from ${packed} to ${size} bytes`);
  }
}

/** The bytes of a file: a part of the archive, or unpacked. */
function unpack(archive: Uint8Array, { name, method, crc, packed, size, at }: Entry): Uint8Array {
  const view = viewOf(archive);
  if (at + LOCAL_HEADER_BYTES > archive.length || view.getUint32(at, true) !== LOCAL_HEADER) {
    throw damaged(`${quote(name)} is not at byte ${at}`);
  }
  const start = at + LOCAL_HEADER_BYTES + view.getUint16(at + 26, true) + view.getUint16(at + 28, true);
  if (start + packed > archive.length) throw damaged(`${quote(name)} reaches beyond the end of the file`);
  const data = archive.subarray(start, start + packed);
  const bytes = method === STORED ? data : inflated(data, size);
  if (bytes?.length !== size || crc32(bytes) !== crc) throw damaged(`${quote(name)} does not unpack to what the directory says`);
  return bytes;
}

/** Undefined if the data is damaged. fflate drops what does not fit, so one byte more shows data that is too long. */
function inflated(data: Uint8Array, size: number): Uint8Array | undefined {
  try {
    return inflateSync(data, { out: new Uint8Array(size + 1) });
  } catch {
    return undefined;
  }
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  return crc;
});

function crc32(bytes: Uint8Array): number {
  let crc = -1;
  for (const byte of bytes) crc = CRC_TABLE[(crc ^ byte) & 0xff] ^ (crc >>> 8);
  return ~crc >>> 0;
}

function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}

function damaged(problem: string): FileContentError {
  return new FileContentError(`damaged zip archive: ${problem}`);
}

function quote(name: string): string {
  return `"${quoteText(name)}"`;
}
