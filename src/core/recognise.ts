import { decodeLatin1 } from './utf8.js';

/** What a file that is not a safetensors file seems to be, by its first bytes, so that a message can name it. */

interface Signature {
  /** How the file begins, and what else its first bytes hold. */
  start: string | RegExp;
  holds?: RegExp;
  kind: string;
}

const SAVE_FILE = "PyTorch's safetensors.torch.save_file writes what can be read here";

const SIGNATURES: readonly Signature[] = [
  { start: 'PK\x03\x04', holds: /\.npy/, kind: 'a NumPy archive (.npz)' },
  { start: 'PK\x03\x04', holds: /data\.pkl|\/version|\.data|byteorder/, kind: `a PyTorch file (.pt); ${SAVE_FILE}` },
  { start: 'PK\x03\x04', kind: 'a zip archive' },
  ...['\x02', '\x03', '\x04', '\x05'].map((protocol) => ({
    start: `\x80${protocol}`,
    kind: `a Python pickle (an old .pt, perhaps); ${SAVE_FILE}`,
  })),
  { start: '\x93NUMPY', kind: 'a NumPy array (.npy)' },
  { start: 'GGUF', kind: 'a GGUF file' },
  { start: '\x89HDF\r\n', kind: 'an HDF5 file' },
  { start: '\x1f\x8b', kind: 'a gzip archive' },
  { start: /^(\xef\xbb\xbf)?\s*<(!doctype html|html|\?xml)/i, kind: 'a web page (HTML), perhaps of a download that failed' },
  { start: 'version https://git-lfs', kind: 'a Git LFS pointer: the file itself was not fetched' },
  { start: /^\s*[[{]\s*["}\]]/, kind: 'a JSON text' },
];

/** Enough of a file to recognise it by. */
export const RECOGNISABLE_BYTES = 512;

/** @param start the first bytes of a file, {@link RECOGNISABLE_BYTES} or all of them */
export function recognise(start: Uint8Array): string | undefined {
  const text = decodeLatin1(start);
  // A header that begins where it should is taken for what it is. Its length, below 100 MB, leaves the upper bytes 0.
  if (text[8] === '{' && text.slice(4, 8) === '\0\0\0\0') return undefined;
  const begins = (start: string | RegExp) => (typeof start === 'string' ? text.startsWith(start) : start.test(text));
  return SIGNATURES.find(({ start, holds }) => begins(start) && (holds?.test(text) ?? true))?.kind;
}
