import { expect, it } from 'vitest';
import { checkAgainst } from '../../../src/dojo/against/checkAgainst.js';
import { summaryOf } from '../../../src/dojo/against/summary.js';
import { storeFloats } from '../../../src/run/safetensors.js';
import { againstCase, fileOf, gradientsOf } from '../../support/against.js';

it('a question about the forward pass ends in a question mark alone', () => {
  const given = againstCase('float64');
  const { data, shape } = given.values.emb;
  const file = fileOf(given, {});
  const tensors = new Map([...file.tensors, ['emb', storeFloats(data.map(Math.cos), shape)] as const]);
  const [{ text }] = summaryOf(checkAgainst({ ...file, tensors }));
  expect(text).toContain('first at emb: it holds no rows of C');
  expect(text).toContain('from before the update? The gradients are judged');
});

it('what the values do not show has one line each, and the way to check it is said once', () => {
  const given = againstCase('float64');
  const dim = summaryOf(checkAgainst(fileOf(given, gradientsOf(given)))).flatMap(({ text, tone }) => (tone === 'dim' ? [text] : []));
  expect(dim.slice(0, 3).map((text) => text.split(':')[0])).toEqual(['dlogit_maxes', 'dlogits', 'db1']);
  expect(dim.slice(3)).toEqual([
    'To check these lines, write functions: ninja.lines(dlogit_maxes=lambda at: …) in Python, exercise check 1 in TypeScript.',
  ]);
});
