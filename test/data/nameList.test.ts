import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NameList } from '../../src/data/nameList.js';

const name = fc.string({ unit: fc.constantFrom(...'abcéß漢😀'), maxLength: 5 });
const names = fc.array(name, { maxLength: 30 });

describe('the vocabulary of a list', () => {
  it("has '.' first and the characters after it in code point order", () => {
    // In UTF-16 the halves of 😀 (d83d de00) sort before ｚ (ff5a); as a code point 😀 sorts after.
    expect(NameList.of(['zé', 'ab', '😀ｚ漢', '-Z']).vocabulary).toEqual(['.', '-', 'Z', 'a', 'b', 'z', 'é', '漢', 'ｚ', '😀']);
  });

  it('has every character once, as a whole code point', () => {
    expect(NameList.of(['😀😀', '😁a', 'aa']).vocabulary).toEqual(['.', 'a', '😀', '😁']);
  });
});

describe('a list of names', () => {
  it('gives back the names: by position, in order, as an array and as JSON', () => {
    fc.assert(
      fc.property(names, (given) => {
        const list = NameList.of(given);
        expect([...list]).toEqual(given);
        expect(list).toHaveLength(given.length);
        for (let i = -given.length - 1; i <= given.length; i++) expect(list.at(i)).toBe(given.at(i));
        expect(JSON.stringify(list)).toBe(JSON.stringify(given));
        expect(new TextDecoder().decode(list.toUtf8())).toBe(given.map((one) => `${one}\n`).join(''));
        expect(list.slice(1, 4)).toEqual(given.slice(1, 4));
      }),
    );
  });

  it('takes a byte for each character and one for each name, beside the first boundary', () => {
    const { text } = NameList.of(['anna', 'bob']);
    expect(text).toEqual(Uint8Array.from([0, 1, 3, 3, 1, 0, 2, 4, 2, 0]));
  });

  it.each([250, 260, 70_000])('holds %i different characters', (count) => {
    const given = Array.from({ length: count }, (_, i) => `a${String.fromCodePoint(0x10000 + i)}b`);
    expect([...NameList.of(given)]).toEqual(given);
  });

  it('is the same list if it is made of a list', () => {
    const list = NameList.of(['anna']);
    expect(NameList.of(list)).toBe(list);
  });

  it('refuses a name that holds the boundary', () => {
    expect(() => NameList.of(['anna', 'j.r'])).toThrow(new RangeError("'j.r' holds '.', which marks the start and end of a name"));
  });

  it('filters as an array does', () => {
    fc.assert(
      fc.property(names, (given) => {
        const isLong = (one: string) => one.length > 2;
        expect([...NameList.of(given).filter(isLong)]).toEqual(given.filter(isLong));
      }),
    );
  });

  it('finds the names that hold characters: one for each test', () => {
    const list = NameList.of(['ab', 'b', 'bc', 'abc', 'a']);
    const is = (letter: string) => (other: string) => other === letter;
    expect([...list.holding(is('a'))]).toEqual(['ab', 'abc', 'a']);
    expect([...list.holding(is('a'), is('c'))]).toEqual(['abc']);
    expect([...list.holding(is('a'), is('z'))]).toEqual([]);
    expect([...list.holding((letter) => letter === '.')]).toEqual([]);
  });

  it('is cut into lists, each of which holds its names and no others', () => {
    const list = NameList.of(['ab', 'b', '', 'abc', 'a']);
    const [first, second, third] = list.cut(list.starts().reverse(), [2, 3]);
    expect([[...first], [...second], [...third]]).toEqual([['a', 'abc'], [''], ['b', 'ab']]);
    expect([first.length, second.length, third.length]).toEqual([2, 1, 2]);
    expect(third.at(1)).toBe('ab');
    expect([...second.text]).toEqual([0, 0]);
    const [some] = list.cut(Uint32Array.of(1, 1));
    expect([...some, ...some.text]).toEqual(['ab', 'ab', 0, 1, 2, 0, 1, 2, 0]);
  });
});
