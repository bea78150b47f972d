import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { complete } from '../../src/core/job.js';
import { NameIndex } from '../../src/data/nameIndex.js';
import { NameList } from '../../src/data/nameList.js';

const name = fc.string({ unit: fc.constantFrom(...'abé😀'), maxLength: 3 });
const names = fc.array(name, { maxLength: 40 });

describe('an index of names', () => {
  it('has the names of the list and no others', () => {
    fc.assert(
      fc.property(names, names, (given, others) => {
        const index = complete(NameIndex.inParts(NameList.of(given)));
        for (const one of [...given, ...others, 'x', '.', 'a.']) expect(index.has(one), one).toBe(given.includes(one));
      }),
    );
  });

  it('is made in parts of 50,000 names', () => {
    const job = NameIndex.inParts(NameList.of(Array.from({ length: 120_000 }, (_, i) => i.toString(36))));
    expect([job.next().done, job.next().done, job.next().done]).toEqual([false, false, true]);
  });

  it('finds the first of equal names', () => {
    fc.assert(
      fc.property(names, (given) => {
        const list = NameList.of(given);
        expect(Array.from(NameIndex.distinctStarts(list), (start) => list.nameAt(start))).toEqual([...new Set(given)]);
      }),
    );
  });
});
