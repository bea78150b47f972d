import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromBase64, toBase64 } from '../../src/core/base64.js';

describe('base64', () => {
  it('is what Node writes, and gives the bytes back', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        expect(toBase64(bytes)).toBe(Buffer.from(bytes).toString('base64'));
        expect(fromBase64(toBase64(bytes))).toEqual(bytes);
      }),
    );
  });

  it('of many bytes is one text, padded only at its end', () => {
    const bytes = Uint8Array.from({ length: 100_001 }, (_, i) => i * 7);
    expect(toBase64(bytes)).toBe(Buffer.from(bytes).toString('base64'));
  });

  it.each(['A', 'AA', 'AAA', 'AA==A', 'A===', 'AA A', 'AA\n==', 'A-_=', 'äAAA'])('is not %j', (text) => {
    expect(fromBase64(text)).toBeUndefined();
  });
});
