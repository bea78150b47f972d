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

const NAMED: [what: string, start: string, kind: RegExp][] = [
  ['a .npz from numpy.savez', zip('arr_0.npy', NPY), /^a NumPy archive \(\.npz\)$/],
  ['a .npz with named tensors', zip('C.npy', NPY), /^a NumPy archive \(\.npz\)$/],
  ['a .npy', NPY, /^a NumPy array \(\.npy\)$/],
  [
    'a .pt from torch.save',
    zip('archive/data.pkl', '\x80\x02'),
    /^a PyTorch file \(\.pt\); PyTorch's safetensors\.torch\.save_file writes a file that can be read$/,
  ],
  [
    'a .pt whose version comes first',
    zip('model/version', '3\n'),
    /^a PyTorch file \(\.pt\); PyTorch's safetensors\.torch\.save_file writes a file that can be read$/,
  ],
  [
    'a .pt whose byte order comes first',
    zip('model/byteorder', 'little'),
    /^a PyTorch file \(\.pt\); PyTorch's safetensors\.torch\.save_file writes a file that can be read$/,
  ],
  ['another zip archive', zip('names.txt', 'emma\n'), /^a zip archive$/],
  ['an old .pt, or any pickle of protocol 2', '\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.', /^a Python pickle .*save_file/],
  ['a pickle of protocol 3', '\x80\x03}q\0.', /^a Python pickle/],
  ['a pickle of protocol 4', '\x80\x04\x95\x0b\0\0\0\0\0\0\0}\x94.', /^a Python pickle/],
  ['a pickle of protocol 5', '\x80\x05\x95\x0b\0\0\0\0\0\0\0}\x94.', /^a Python pickle/],
  ['a GGUF file', 'GGUF\x03\0\0\0\x01\0\0\0', /^a GGUF file$/],
  ['an HDF5 file', '\x89HDF\r\n\x1a\n\0\0\0\0', /^an HDF5 file$/],
  ['a gzip archive', gzipSync('emma\n').toString('latin1'), /^a gzip archive$/],
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
  ['a list in JSON', '["emma", "olivia"]', /^a JSON file$/],
  ['an empty object in JSON', '{}\n       ', /^a JSON file$/],
  ['a JSON file whose ninth character is a brace', '{"data":{"path":"names.txt"}}', /^a JSON file$/],
];

describe('recognise', () => {
  it.each(NAMED)('names %s', (_, start, named) => {
    const { kind = '', hint } = recognise(Buffer.from(start, 'latin1')) ?? {};
    expect(hint === undefined ? kind : `${kind}; ${hint}`).toMatch(named);
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
    ['a truncated zip archive', 'PK\x03'],
    ['the end of an HTML page', '</body></html>'],
  ])('does not name %s', (_, start) => {
    expect(recognise(Buffer.from(start, 'latin1'))).toBeUndefined();
  });

  it('looks at the first bytes only', () => {
    const far = `${zip('names.txt', 'x'.repeat(RECOGNISABLE_BYTES))}C.npy`;
    expect(refusal(() => readSafetensors(Buffer.from(far, 'latin1')))).toBe('not a safetensors file: this is a zip archive');
  });

  it('never names a safetensors file, whatever the length of its header: one of 640 bytes begins like a pickle', () => {
    for (let spaces = 0; spaces < 4096; spaces += 8) {
      const file = rawFile('{}'.padEnd(2 + spaces));
      expect(recognise(file.subarray(0, RECOGNISABLE_BYTES)), `${spaces} spaces`).toBeUndefined();
    }
    for (const length of [0x0280, 0x0380, 0x0480, 0x0580, 0x8b1f])
      expect(readSafetensors(rawFile('{}'.padEnd(length))).tensors.size).toBe(0);
  });

  it('never names a safetensors file by the names of its tensors', () => {
    const tensors = new Map([['archive/data.pkl.npy', storeFloats(Float32Array.of(1), [1])]]);
    expect([...readSafetensors(writeSafetensors({ metadata: { format: '<html>' }, tensors })).tensors.keys()]).toEqual([
      'archive/data.pkl.npy',
    ]);
  });
});
