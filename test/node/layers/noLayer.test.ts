import { describe, expect, it } from 'vitest';
import { fullMessage } from '../../../src/core/errors.js';
import { noLayerError } from '../../../src/node/layers/noLayer.js';
import type { OtherExport } from '../../../src/node/layers/protocol.js';

const EXAMPLE = 'for a specification to start from: backprop-ninja grad-check --example';

describe('a file without a layer', () => {
  it.each<[string, OtherExport[], string]>([
    ['nothing', [], `a.ts has no layer: it exports nothing; ${EXAMPLE}`],
    ['other kinds', [{ name: 'SIZE', kind: 'a number' }], `a.ts has no layer: its exports are SIZE (a number); ${EXAMPLE}`],
    [
      'a layer without its backward pass',
      [
        { name: 'SIZE', kind: 'a number' },
        { name: 'norm', kind: 'an object', functions: ['inputs', 'forward'] },
      ],
      `a.ts has no layer: norm has inputs and forward, but no backward; ${EXAMPLE}`,
    ],
    [
      'a layer with a misspelt function',
      [{ name: 'norm', kind: 'an object', functions: ['input', 'forward', 'backward'] }],
      `a.ts has no layer: norm has forward and backward, but no inputs (did you mean inputs by 'input'?); ${EXAMPLE}`,
    ],
    [
      'the functions on their own',
      ['backward', 'forward', 'inputs'].map((name) => ({ name, kind: 'a function' })),
      'a.ts has no layer: inputs, forward and backward are exports of their own; export them in one object: export const layer = defineLayer({ inputs, forward, backward })',
    ],
    [
      'many exports',
      Array.from({ length: 8 }, (_, i) => ({ name: `a${i}`, kind: 'a number' })),
      `a.ts has no layer: its exports are a0 (a number); a1 (a number); a2 (a number); a3 (a number); a4 (a number); and 3 more; ${EXAMPLE}`,
    ],
    [
      'a name of control characters',
      [{ name: '\x1b[31m', kind: 'a number' }],
      `a.ts has no layer: its exports are \\x1b[31m (a number); ${EXAMPLE}`,
    ],
  ])('says what it has instead: %s', (_, others, message) => {
    expect(fullMessage(noLayerError('a.ts', others))).toBe(message);
  });
});
