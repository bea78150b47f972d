/** Recognises common files that are not safetensors files by their first bytes, so that a message can name them. */
import { decodeLatin1 } from './utf8.js';

/** A guess at a file's format. */
export interface RecognisedFile {
  /** The format, with its article: "a NumPy array (.npy)". */
  kind: string;
  /** How to get a readable file. */
  hint?: string;
}

interface Signature extends RecognisedFile {
  /** The first characters of such a file. */
  start: string | RegExp;
  /** Text that its first bytes must also contain. */
  holds?: RegExp;
}

const hint = "PyTorch's safetensors.torch.save_file writes a file that can be read";

const SIGNATURES: readonly Signature[] = [
  { start: 'PK\x03\x04', holds: /\.npy/, kind: 'a NumPy archive (.npz)' },
  { start: 'PK\x03\x04', holds: /data\.pkl|\/version|\.data|byteorder/, kind: 'a PyTorch file (.pt)', hint },
  { start: 'PK\x03\x04', kind: 'a zip archive' },
  ...['\x02', '\x03', '\x04', '\x05'].map((protocol) => ({
    start: `\x80${protocol}`,
    kind: 'a Python pickle (perhaps an old .pt file)',
    hint,
  })),
  { start: '\x93NUMPY', kind: 'a NumPy array (.npy)' },
  { start: 'GGUF', kind: 'a GGUF file' },
  { start: '\x89HDF\r\n', kind: 'an HDF5 file' },
  { start: '\x1f\x8b', kind: 'a gzip archive' },
  { start: /^(\xef\xbb\xbf)?\s*<(!doctype html|html|\?xml)/i, kind: 'a web page (HTML), perhaps from a failed download' },
  { start: 'version https://git-lfs', kind: 'a Git LFS pointer', hint: "fetch the file itself with 'git lfs pull'" },
  { start: /^\s*[[{]\s*["}\]]/, kind: 'a JSON file' },
];

/** The number of bytes at the start of a file that {@link recognise} needs. */
export const RECOGNISABLE_BYTES = 512;

/**
 * @param start the first bytes of a file, {@link RECOGNISABLE_BYTES} or all of them
 * @returns undefined for a safetensors file and for an unknown kind
 */
export function recognise(start: Uint8Array): RecognisedFile | undefined {
  const text = decodeLatin1(start);
  // A header length below 100 MB has zeros in its upper bytes, and the header begins with a brace.
  if (text[8] === '{' && text.slice(4, 8) === '\0\0\0\0') return undefined;
  const begins = (start: string | RegExp) => (typeof start === 'string' ? text.startsWith(start) : start.test(text));
  return SIGNATURES.find(({ start, holds }) => begins(start) && (holds?.test(text) ?? true));
}
