import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { RECOGNISABLE_BYTES, recognise } from '../../src/core/recognise.js';
import { readSafetensors, storeFloats, writeSafetensors } from '../../src/run/safetensors.js';
import { rawFile, refusal } from '../support/safetensorsFiles.js';

/** The first entry of a zip archive, stored without compression. */
function zip(name: string, content = ''): string {
  const header = Buffer.alloc(30);
  header.write('PK\x03\x04', 'latin1');
  header.writeUInt16LE(name.length, 26);
  return header.toString('latin1') + name + content;
}

const NPY = "\x93NUMPY\x01\0v\0{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }";

const utf16 = (text: string) => Buffer.from(text, 'utf16le');
const utf32 = (text: string) => Buffer.from(Uint32Array.from([...text], (c) => c.codePointAt(0) as number).buffer);
const utf8 = (text: string) => Buffer.from(text).toString('latin1');
const bytes = (buffer: Buffer) => buffer.toString('latin1');
const LIST = 'emma\nolivia\nava\nisabella\n';
const TAR = `${'names.txt'.padEnd(257, '\0')}ustar\x0000`;

const NAMED: [what: string, start: string, kind: RegExp][] = [
  ['a .npz from numpy.savez', zip('arr_0.npy', NPY), /^a NumPy archive \(\.npz\)$/],
  ['a .npz with named tensors', zip('C.npy', NPY), /^a NumPy archive \(\.npz\)$/],
  ['a .npy', NPY, /^a NumPy array \(\.npy\)$/],
  [
    'a .pt from torch.save',
    zip('archive/data.pkl', '\x80\x02'),
    /^a PyTorch file \(\.pt\); in Python, ninja\.save\(.*\) or safetensors\.torch\.save_file writes a file that can be read; .* writes ninja\.py$/,
  ],
  [
    'a .pt whose version comes first',
    zip('model/version', '3\n'),
    /^a PyTorch file \(\.pt\); in Python, ninja\.save\(.*\) or safetensors\.torch\.save_file writes a file that can be read; .* writes ninja\.py$/,
  ],
  [
    'a .pt whose byte order comes first',
    zip('model/byteorder', 'little'),
    /^a PyTorch file \(\.pt\); in Python, ninja\.save\(.*\) or safetensors\.torch\.save_file writes a file that can be read; .* writes ninja\.py$/,
  ],
  ['another zip archive', zip('names.txt', 'emma\n'), /^a zip archive; unpack it with unzip$/],
  ['an old .pt, or any pickle of protocol 2', '\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.', /^a Python pickle .*save_file/],
  ['a pickle of protocol 3', '\x80\x03}q\0.', /^a Python pickle/],
  ['a pickle of protocol 4', '\x80\x04\x95\x0b\0\0\0\0\0\0\0}\x94.', /^a Python pickle/],
  ['a pickle of protocol 5', '\x80\x05\x95\x0b\0\0\0\0\0\0\0}\x94.', /^a Python pickle/],
  ['a GGUF file', 'GGUF\x03\0\0\0\x01\0\0\0', /^a GGUF file$/],
  ['an HDF5 file', '\x89HDF\r\n\x1a\n\0\0\0\0', /^an HDF5 file$/],
  ['a gzip archive', gzipSync('emma\n').toString('latin1'), /^a gzip archive; unpack it with gunzip$/],
  ['a bzip2 archive', 'BZh91AY&SY\x03', /^a bzip2 archive; unpack it with bunzip2$/],
  ['an xz archive', '\xfd7zXZ\0\0\x04', /^an xz archive; unpack it with unxz$/],
  ['a Zstandard archive', '\x28\xb5\x2f\xfd\x24', /^a Zstandard archive; unpack it with unzstd$/],
  ['a 7z archive', "7z\xbc\xaf'\x1c\0\x04", /^a 7z archive/],
  ['a RAR archive', 'Rar!\x1a\x07\x01\0', /^a RAR archive/],
  ['a tar archive', TAR, /^a tar archive; unpack it with tar xf$/],
  ['an Excel file', zip('[Content_Types].xml'), /^an Office document \(\.xlsx, \.docx\); save it as text/],
  ['an OpenDocument file', zip('mimetype', 'application/vnd.oasis.opendocument.spreadsheet'), /^an OpenDocument file/],
  ['an old Excel file', '\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0', /^an old Office document/],
  ['a PDF document', '%PDF-1.7\n%\xb5\xb5', /^a PDF document/],
  ['an RTF document', '{\\rtf1\\ansi emma}', /^an RTF document/],
  ['a PNG image', '\x89PNG\r\n\x1a\n', /^a PNG image$/],
  ['a JPEG image', '\xff\xd8\xff\xe0\0\x10JFIF', /^a JPEG image$/],
  ['a GIF image', 'GIF89a\x01\0', /^a GIF image$/],
  ['a program', '\x7fELF\x02\x01\x01', /^a program \(ELF\)$/],
  ['a program for Windows', `MZ\x90\0\x03${'\0'.repeat(60)}PE\0\0`, /^a program for Windows$/],
  ['a WebAssembly module', '\0asm\x01\0\0\0', /^a WebAssembly module$/],
  ['a database', 'SQLite format 3\0', /^an SQLite database$/],
  ['a Parquet file', 'PAR1\x15\0\x15', /^a Parquet file/],
  ['an unknown binary file', bytes(Buffer.from(Array.from({ length: 256 }, (_, i) => (i * 151) % 256))), /^a binary file$/],
  ['UTF-16 with a mark', bytes(utf16(`\ufeff${LIST}`)), /^text in UTF-16; convert it to UTF-8: iconv -f UTF-16 -t UTF-8 FILE > utf8\.txt$/],
  ['UTF-16, little-endian', bytes(utf16(LIST)), /^text in UTF-16; convert it to UTF-8: iconv -f UTF-16LE /],
  ['UTF-16, big-endian', bytes(utf16(LIST).swap16()), /^text in UTF-16; convert it to UTF-8: iconv -f UTF-16BE /],
  ['Chinese in UTF-16', bytes(utf16('李娜\n王伟\n张敏\n上海\n')), /^text in UTF-16; convert it to UTF-8: iconv -f UTF-16LE /],
  [
    'Russian in UTF-16, big-endian',
    bytes(utf16('анна\nмария\nольга\n').swap16()),
    /^text in UTF-16; convert it to UTF-8: iconv -f UTF-16BE /,
  ],
  ['UTF-32 with a mark', bytes(utf32(`\ufeff${LIST}`)), /^text in UTF-32; convert it to UTF-8: iconv -f UTF-32 /],
  ['UTF-32, little-endian', bytes(utf32(LIST)), /^text in UTF-32; convert it to UTF-8: iconv -f UTF-32LE /],
  ['UTF-32, big-endian', bytes(utf32(LIST).swap32()), /^text in UTF-32; convert it to UTF-8: iconv -f UTF-32BE /],
  [
    'an error of GitHub',
    '404: Not Found',
    /^an error message, '404: Not Found', perhaps from a failed download; download the file itself again$/,
  ],
  ['an error of a server', 'Access denied\n', /^an error message, 'Access denied'/],
  ['an error with a status in front', 'Error 503: Service Unavailable\n', /^an error message, 'Error 503/],
  ['an error of a hub', 'Entry not found', /^an error message, 'Entry not found'/],
  ['an error of curl', 'curl: (6) Could not resolve host: example.org\n', /^an error message, 'curl: \(6\)/],
  ['an error in JSON', '{"message": "Not Found", "documentation_url": "https://x"}', /^an error message, 'Not Found'/],
  ['an error in JSON with details', '{"detail":"Not found."}', /^an error message, 'Not found\.'/],
  ['an error in JSON inside an object', '{"error":{"code":403,"message":"Forbidden"}}', /^an error message, 'Forbidden'/],
  ['an error in XML', '<?xml version="1.0"?>\n<Error><Code>NoSuchKey</Code></Error>', /^an error message, 'NoSuchKey'/],
  ['an HTTP response', 'HTTP/1.1 404 Not Found\r\nServer: x\r\n\r\n', /^an HTTP response/],
  ['an HTML error page', '<html>\r\n<head><title>404 Not Found</title></head>', /^a web page \(HTML\) with the title '404 Not Found'/],
  ['an SVG image', '<svg xmlns="http://www.w3.org/2000/svg"></svg>', /^an XML file$/],
  ['a Markdown document', '# Names\n\nA list of [names](https://x.org).\n\n```\nemma\n```\n', /^a Markdown document$/],
  ['a script', '#!/bin/sh\necho emma\n', /^a script$/],
  ['a program in Python', 'import torch\n\ndef main():\n    x = f(1)\n    return x\n\nmain()\n', /^source code$/],
  ['a program in TypeScript', utf8("import { a } from './é.js';\n\nexport function f(x: number) {\n  return a(x);\n}\n"), /^source code$/],
  ['a list in a program', 'names = [\n  "emma",\n  "olivia",\n]\n', /^source code$/],
  ['a patch', 'diff --git a/x b/x\nindex 1..2\n', /^a patch$/],
  ['an HTML page', '<!DOCTYPE html>\n<html><body>404</body></html>', /^a web page \(HTML\)/],
  ['an HTML page in lower case, after white space', '\r\n  <html lang="en">', /^a web page \(HTML\)/],
  ['an HTML page after a byte order mark', '\xef\xbb\xbf<!doctype html>', /^a web page \(HTML\)/],
  ['an XHTML page', '<?xml version="1.0"?><html>', /^a web page \(HTML\)/],
  [
    'a Git LFS pointer',
    'version https://git-lfs.github.com/spec/v1\noid sha256:0123\nsize 12\n',
    /^a Git LFS pointer; fetch the file itself with 'git lfs pull'$/,
  ],
  ['run.json', JSON.stringify({ program: 'backprop-ninja', data: { path: 'names.txt' } }, null, 2), /^a JSON file$/],
  ['metrics.jsonl', '{"step":100,"loss":2.5,"rate":0.1}\n', /^a JSON file$/],
  ['a list in JSON', '["emma", "olivia"]', /^a JSON file; write one name per line: jq -r '\.\[\]' FILE > names\.txt$/],
  ['a list in JSON over many lines', '[\n  "emma",\n  "olivia"\n]\n', /^a JSON file; .*jq -r '\.\[\]'/],
  ['a list of objects in JSON', '[{"name": "emma", "n": 5}]', /^a JSON file; .*jq -r '\.\[\]\.name'/],
  ['JSON lines', '{"firstName":"emma"}\n{"firstName":"olivia"}\n', /^a JSON file; .*jq -r '\.firstName'/],
  ['a list in Python', "['emma', 'olivia']", /^a list in Python/],
  ['an empty object in JSON', '{}\n       ', /^a JSON file$/],
  ['a JSON file whose ninth character is a brace', '{"data":{"path":"names.txt"}}', /^a JSON file$/],
];

describe('recognise', () => {
  it.each(NAMED)('names %s', (_, start, named) => {
    const { kind = '', hint, shell } = recognise(Buffer.from(start, 'latin1')) ?? {};
    const wayOut = shell === undefined ? hint : `${hint}: ${shell}`;
    expect(wayOut === undefined ? kind : `${kind}; ${wayOut}`).toMatch(named);
  });

  it.each(NAMED)('makes the error name %s', (_, start, kind) => {
    const message = refusal(() => readSafetensors(Buffer.from(start, 'latin1')));
    const named = 'not a safetensors file: this is ';
    expect(message.startsWith(named)).toBe(true);
    expect(message.slice(named.length)).toMatch(kind);
  });

  it.each([
    ['an empty file', ''],
    ['zeros', '\0'.repeat(64)],
    ['a list of names', 'emma\nolivia\nava\n'],
    ['one name', 'emma'],
    ['five names', 'emma\nolivia\nava\nmia\nzoe\n'],
    ['names that begin like formats', 'PKabc\nBMW\nGIF\nMZia\nPAR1\nLZIP\nGGUF\nRIFF\n'],
    ['names of numbers', '404\n403\n500\n501\n502\n503\n'],
    ['names with errors among many', 'forbidden\nnot found\nlove\nhate\nhope\ndenied\n'],
    ['names with apostrophes and hyphens', "o'neil\njean-luc\nd'arcy\nmary ann\n"],
    ['a table', 'Name,Sex,Count\nemma,F,20355\nolivia,F,19553\n'],
    ['lines that end with semicolons', 'emma;\nolivia;\nava;\n'],
    ['lines with signs', '@emma\n#olivia\n-ava\n*mia\n<3\n[zoe]\n(ann)\n{x}\n'],
    ['words of programs', 'import\nreturn\nclass\nfor\nwhile\ndef\n'],
    ['lists with comments', '# names of 2024\n# sorted\nemma\nolivia\nava\n'],
    ['lists with headings in comments', '# A\nanna\n## B\nbert\n'],
    ['numbers with names', 'emma = 5\nolivia = 7\nava = 3\n'],
    ['Chinese names', utf8('李娜\n王伟\n张敏\n')],
    ['names in Latin-1', 'zo\xe9\nren\xe9e\n'],
    ['species', 'Homo sapiens\nCanis lupus (Linnaeus, 1758)\nFelis catus\n'],
    ['colored names', '\x1b[31memma\x1b[0m\n'],
    ['a truncated zip archive', 'PK\x03'],
    ['the end of an HTML page', '</body></html>'],
  ])('does not name %s', (_, start) => {
    expect(recognise(Buffer.from(start, 'latin1'))).toBeUndefined();
  });

  it('looks at the first bytes only', () => {
    const far = `${zip('names.txt', 'x'.repeat(RECOGNISABLE_BYTES))}C.npy`;
    expect(refusal(() => readSafetensors(Buffer.from(far, 'latin1')))).toMatch(/^not a safetensors file: this is a zip archive;/);
  });

  it('knows a safetensors file, whatever the length of its header: one of 640 bytes begins like a pickle', () => {
    for (let spaces = 0; spaces < 4096; spaces += 8) {
      const file = rawFile('{}'.padEnd(2 + spaces));
      expect(recognise(file.subarray(0, RECOGNISABLE_BYTES))?.group, `${spaces} spaces`).toBe('safetensors');
    }
    for (const length of [0x0280, 0x0380, 0x0480, 0x0580, 0x8b1f])
      expect(readSafetensors(rawFile('{}'.padEnd(length))).tensors.size).toBe(0);
  });

  it('does not mistake a safetensors file for another by the names of its tensors', () => {
    const tensors = new Map([['archive/data.pkl.npy', storeFloats(Float32Array.of(1), [1])]]);
    expect([...readSafetensors(writeSafetensors({ metadata: { format: '<html>' }, tensors })).tensors.keys()]).toEqual([
      'archive/data.pkl.npy',
    ]);
  });
});
