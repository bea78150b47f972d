/**
 * Names what a file is by its first bytes, so that a message can say "this is a gzip archive" where something else is expected. Data sets,
 * safetensors files and learners' files share it.
 */
import { type RecognisedFile, recogniseText } from './recogniseText.js';
import { decodeLatin1, decodeUtf8 } from './utf8.js';

interface Signature extends Omit<RecognisedFile, 'group'> {
  /** The first characters of such a file. */
  start: string | RegExp;
  /** Text that its first bytes must also contain. */
  holds?: RegExp;
}

const TORCH =
  "in Python, ninja.save('weights.safetensors', C=C, W1=W1, ...) or safetensors.torch.save_file writes a file that can be read; " +
  'backprop-ninja exercise start --python writes ninja.py';
const AS_TEXT = 'save it as text in UTF-8, or as CSV';

/** Of formats without zero bytes in their signature, those with letters alone also need one elsewhere: text never holds a zero. */
const SIGNATURES: readonly Signature[] = [
  { start: 'PK\x03\x04', holds: /\.npy/, kind: 'a NumPy archive (.npz)' },
  { start: 'PK\x03\x04', holds: /data\.pkl|\/version|\.data|byteorder/, kind: 'a PyTorch file (.pt)', hint: TORCH },
  { start: 'PK\x03\x04', holds: /xl\/|word\/|ppt\/|\[Content_Types\]/, kind: 'an Office document (.xlsx, .docx)', hint: AS_TEXT },
  { start: 'PK\x03\x04', holds: /opendocument/, kind: 'an OpenDocument file (.ods, .odt)', hint: AS_TEXT },
  ...['\x03\x04', '\x05\x06', '\x07\x08'].map((end) => ({ start: `PK${end}`, kind: 'a zip archive', hint: 'unpack it with unzip' })),
  ...['\x02', '\x03', '\x04', '\x05'].map((protocol) => ({
    start: `\x80${protocol}`,
    kind: 'a Python pickle (perhaps an old .pt file)',
    hint: TORCH,
  })),
  { start: '\x93NUMPY', kind: 'a NumPy array (.npy)' },
  { start: 'GGUF', holds: /\0/, kind: 'a GGUF file' },
  { start: '\x89HDF\r\n', kind: 'an HDF5 file' },
  { start: '\x1f\x8b', kind: 'a gzip archive', hint: 'unpack it with gunzip' },
  { start: /^BZh[1-9]1AY&SY/, kind: 'a bzip2 archive', hint: 'unpack it with bunzip2' },
  { start: '\xfd7zXZ\0', kind: 'an xz archive', hint: 'unpack it with unxz' },
  { start: '\x28\xb5\x2f\xfd', kind: 'a Zstandard archive', hint: 'unpack it with unzstd' },
  { start: "7z\xbc\xaf'\x1c", kind: 'a 7z archive', hint: 'unpack it with 7z x' },
  { start: 'Rar!\x1a\x07', kind: 'a RAR archive', hint: 'unpack it with unrar' },
  { start: '\x04\x22\x4d\x18', kind: 'an LZ4 archive', hint: 'unpack it with unlz4' },
  { start: /^\x5d\0\0[\0-\xff]{2}/, kind: 'an LZMA archive', hint: 'unpack it with unlzma' },
  { start: '\x1f\x9d', kind: 'a compressed file (.Z)', hint: 'unpack it with uncompress' },
  { start: 'LZIP', holds: /\0/, kind: 'an lzip archive', hint: 'unpack it with lzip -d' },
  { start: /^[\s\S]{257}ustar[\0 ]/, kind: 'a tar archive', hint: 'unpack it with tar xf' },
  { start: '!<arch>\n', kind: 'an ar archive' },
  { start: /^\s*%PDF-\d/, kind: 'a PDF document', hint: AS_TEXT },
  { start: '%!PS', kind: 'a PostScript document', hint: AS_TEXT },
  { start: '{\\rtf', kind: 'an RTF document', hint: AS_TEXT },
  { start: '\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1', kind: 'an old Office document (.xls, .doc)', hint: AS_TEXT },
  { start: '\x89PNG\r\n', kind: 'a PNG image' },
  { start: '\xff\xd8\xff', kind: 'a JPEG image' },
  { start: /^GIF8[79]a/, kind: 'a GIF image' },
  { start: 'BM', holds: /^[\s\S]{6}\0\0\0\0/, kind: 'a BMP image' },
  { start: /^(II\*\0|MM\0\*)/, kind: 'a TIFF image' },
  { start: /^RIFF[\s\S]{4}(WEBP|WAVE|AVI )/, kind: 'an image, sound or video (RIFF)' },
  { start: /^[\0-\xff]{4}ftyp/, kind: 'a video or image (MP4, HEIC)' },
  ...['ID3\x03', 'ID3\x04', 'OggS\0', 'fLaC\0'].map((start) => ({ start, kind: 'a sound file' })),
  { start: '\x7fELF', kind: 'a program (ELF)' },
  { start: /^(\xcf\xfa\xed\xfe|\xca\xfe\xba\xbe)/, kind: 'a program (Mach-O or Java)' },
  { start: 'MZ', holds: /\0[\s\S]*PE\0\0|This program/, kind: 'a program for Windows' },
  { start: '\0asm', kind: 'a WebAssembly module' },
  { start: 'SQLite format 3\0', kind: 'an SQLite database' },
  { start: 'PAR1', holds: /\0/, kind: 'a Parquet file', hint: AS_TEXT },
  { start: 'ARROW1\0', kind: 'an Arrow file', hint: AS_TEXT },
];

/** The number of bytes at the start of a file that {@link recognise} needs. */
export const RECOGNISABLE_BYTES = 4096;

/**
 * @param start the first {@link RECOGNISABLE_BYTES} bytes of a file; fewer are taken as the whole file
 * @returns undefined for an unknown kind, and for a plain list of words
 */
export function recognise(start: Uint8Array): RecognisedFile | undefined {
  const bytes = decodeLatin1(start);
  // A header length below 100 MB has zeros in its upper bytes, and the header begins with a brace.
  if (bytes[8] === '{' && bytes.slice(4, 8) === '\0\0\0\0') return { kind: 'a safetensors file', group: 'safetensors' };
  const begins = (start: string | RegExp) => (typeof start === 'string' ? bytes.startsWith(start) : start.test(bytes));
  const found = SIGNATURES.find(({ start, holds }) => begins(start) && (holds?.test(bytes) ?? true));
  if (found) {
    const { kind, hint } = found;
    return { kind, ...(hint === undefined ? {} : { hint }), group: 'binary' };
  }
  const encoding = wideEncoding(start, bytes);
  if (encoding) {
    return {
      kind: `text in ${encoding.slice(0, 6)}`,
      hint: 'convert it to UTF-8',
      shell: `iconv -f ${encoding} -t UTF-8 FILE > utf8.txt`,
      group: 'text',
    };
  }
  if (isBinary(start)) return { kind: 'a binary file', group: 'binary' };
  return recogniseText(decodeUtf8(start), start.length < RECOGNISABLE_BYTES);
}

/** UTF-16 or UTF-32, as iconv spells it: by the byte order mark, or by where the zero bytes are. */
function wideEncoding(start: Uint8Array, bytes: string): string | undefined {
  const marks = { '\xff\xfe\0\0': 'UTF-32', '\0\0\xfe\xff': 'UTF-32', '\xff\xfe': 'UTF-16', '\xfe\xff': 'UTF-16' };
  for (const [mark, encoding] of Object.entries(marks)) if (bytes.startsWith(mark)) return encoding;
  // Of each position modulo 4: how many bytes are 0.
  const zeros = [0, 0, 0, 0];
  for (let i = 0; i < start.length; i++) if (start[i] === 0) zeros[i % 4]++;
  const [a, b, c, d] = zeros;
  const units = Math.floor(start.length / 4);
  if (units >= 2 && c === units && d === units && a === 0) return 'UTF-32LE';
  if (units >= 2 && a === units && b === units && d === 0) return 'UTF-32BE';
  // Latin letters have a zero each, other letters only at the ends of the lines.
  const isWide = (count: number, lineEnd: string) => count >= 3 && (count >= units || bytes.split(lineEnd).length > 2);
  if (a + c === 0 && isWide(b + d, '\n\0')) return 'UTF-16LE';
  return b + d === 0 && isWide(a + c, '\0\n') ? 'UTF-16BE' : undefined;
}

/** Whether one byte in 20 of at least 16 is a control character, and 3 different ones occur. */
function isBinary(start: Uint8Array): boolean {
  const found = new Set<number>();
  let count = 0;
  for (const byte of start) {
    // Tab, line ends and escape occur in text.
    if (byte >= 32 || (byte >= 9 && byte <= 13) || byte === 27) continue;
    found.add(byte);
    count++;
  }
  return start.length >= 16 && found.size >= 3 && count >= start.length / 20;
}
