/** Characters of a data set that cannot be told apart: invisible ones, two forms of one letter, look-alikes, and text decoded wrongly. */
import { complete } from '../core/job.js';
import { codePoint, LOOKALIKES, quoteHidden, quoteText } from '../core/text.js';
import { NameIndex } from './nameIndex.js';
import type { NameList } from './nameList.js';

/** Something to tell the user about a data set. */
export interface Oddity {
  /** What was found. */
  text: string;
  /** What to do. FILE is replaced by the path. */
  hint?: string;
}

/** A list may have 10^7 names, so each rule first finds those that hold the characters that it is about. */
export function characterOddities(names: NameList): Oddity[] {
  const all = [
    hiddenOddity(names),
    formOddity(names),
    lookalikeOddity(names),
    punctuationOddity(names),
    decodedOddity(names),
    entityOddity(names),
  ];
  return all.filter((one) => one !== undefined);
}

function entityOddity(names: NameList): Oddity | undefined {
  const entities = names.holding(is('&'), is(';')).filter((name) => /&(#\d+|#x[\da-f]+|[a-z]{2,8});/i.test(name));
  if (entities.length === 0) return undefined;
  return {
    text: `${namesDo(entities.length, 'hold', 'holds')} an HTML entity, such as '${firstOf(entities)}'`,
    hint: 'decode the file first',
  };
}

function is(character: string): (other: string) => boolean {
  return (other) => other === character;
}

/** The first name, for quoting. */
function firstOf(names: NameList): string {
  return quoteText(names.at(0) as string);
}

/** 1 name holds, 2 names hold */
function namesDo(count: number, verb: string, does: string): string {
  return count === 1 ? `1 name ${does}` : `${count.toLocaleString('en-US')} names ${verb}`;
}

const HIDDEN = /[\p{Default_Ignorable_Code_Point}\u2800]|(?! )\p{Zs}/gu;

/** Hidden characters where they belong: joiners in some scripts and in emoji, selectors after emoji, Han and Mongolian, tags in flags. */
const BELONGING = new RegExp(
  [
    '(?<=[\\p{Extended_Pictographic}\\p{Emoji_Modifier}]|\\u{fe0f})\\u{200d}',
    '(?<=[\\p{Emoji}\\p{Script=Han}])[\\u{fe00}-\\u{fe0f}\\u{e0100}-\\u{e01ef}]',
    '(?<=\\u{1f3f4}[\\u{e0020}-\\u{e007f}]*)[\\u{e0020}-\\u{e007f}]',
    '(?<=\\p{Script=Mongolian})[\\u{180b}-\\u{180f}]',
    '(?<=(?!\\p{Script=Latin}|\\p{Script=Greek}|\\p{Script=Cyrillic}|\\p{Script=Han})[\\p{L}\\p{M}])[\\u{200c}\\u{200d}](?=\\p{L})',
  ].join('|'),
  'gu',
);

const HIDDEN_NAMES: Readonly<Record<string, string>> = {
  'U+00A0': 'no-break space',
  'U+00AD': 'soft hyphen',
  'U+034F': 'grapheme joiner',
  'U+180E': 'vowel separator',
  'U+200B': 'zero width space',
  'U+200C': 'zero width non-joiner',
  'U+200D': 'zero width joiner',
  'U+2060': 'word joiner',
  'U+2800': 'braille blank',
  'U+3000': 'ideographic space',
  'U+3164': 'Hangul filler',
  'U+FEFF': 'byte order mark',
};

function nameOfHidden(character: string): string {
  const point = codePoint(character);
  const known = HIDDEN_NAMES[point];
  if (known !== undefined) return `${point} ${known}`;
  if (/[\ufe00-\ufe0f\u{e0100}-\u{e01ef}]/u.test(character)) return `${point} variation selector`;
  if (/[\u{e0000}-\u{e007f}]/u.test(character)) return `${point} tag character`;
  return /\p{Zs}/u.test(character) ? `${point} space` : `${point} invisible`;
}

function hiddenOddity(names: NameList): Oddity | undefined {
  const counts = new Map<string, number>();
  let example: string | undefined;
  let holders = 0;
  for (const name of names.holding((character) => character.search(HIDDEN) !== -1)) {
    const found = new Set(name.replace(BELONGING, '').match(HIDDEN) ?? []);
    if (found.size === 0) continue;
    example ??= name;
    holders++;
    for (const character of found) counts.set(character, (counts.get(character) ?? 0) + 1);
  }
  if (example === undefined) return undefined;
  const list = [...counts.keys()].slice(0, 5).map(nameOfHidden).join(', ');
  const more = counts.size > 5 ? ` and ${counts.size - 5} more` : '';
  const codes = [...counts.keys()].map((character) => `\\x{${codePoint(character).slice(2).toLowerCase()}}`).join('');
  return {
    text: `${namesDo(holders, 'hold', 'holds')} characters that cannot be seen, such as '${quoteHidden(example)}': ${list}${more}`,
    hint: `remove them, if they are not meant: perl -CSD -pe 's/[${codes}]//g' FILE > names-only.txt`,
  };
}

/** Characters that have another form in NFC, alone or beside others: marks, vowels and final consonants of Hangul, and a few more. */
function isUnstable(character: string): boolean {
  return /[\p{M}\u1161-\u1175\u11a8-\u11c2]/u.test(character) || character.normalize('NFC') !== character;
}

/** Letters that occur both as one character and as a letter with marks. */
function formOddity(names: NameList): Oddity | undefined {
  const characters = new Set(names.vocabulary);
  const composed = new Set<string>();
  const changed = names.holding(isUnstable).filter((name) => {
    const other = name.normalize('NFC');
    if (other === name) return false;
    for (const character of other) if (!name.includes(character)) composed.add(character);
    return true;
  });
  if (changed.length === 0) return undefined;
  const both = [...composed].filter((character) => characters.has(character));
  const known = complete(NameIndex.inParts(names));
  const twice = changed.filter((name) => known.has(name.normalize('NFC')));
  if (both.length === 0 && twice.length === 0) return undefined;
  const letters = both.slice(0, 3).map((one) => `${one} as ${codePoint(one)} and as ${[...one.normalize('NFD')].map(codePoint).join(' ')}`);
  const same = twice.length === 0 ? '' : `; ${namesDo(twice.length, 'are', 'is')} there in both forms`;
  return {
    text: `some letters are written in two ways that look the same: ${letters.join(', ')}${both.length > 3 ? ` and ${both.length - 3} more` : ''}${same}`,
    hint: '--normalize nfc makes them one',
  };
}

/** Words that mix Latin letters with Greek or Cyrillic ones that look like them. */
function lookalikeOddity(names: NameList): Oddity | undefined {
  const isLatin = (character: string) => /\p{Script=Latin}/u.test(character);
  const found: { name: string; letter: string }[] = [];
  for (const name of names.holding((character) => LOOKALIKES.test(character), isLatin)) {
    for (const word of name.split(/[^\p{L}\p{M}]+/u)) {
      const [letter] = LOOKALIKES.exec(word) ?? [];
      if (letter === undefined || !isLatin(word)) continue;
      found.push({ name, letter });
      break;
    }
  }
  if (found.length === 0) return undefined;
  const [{ name, letter }] = found;
  const script = /\p{Script=Greek}/u.test(letter) ? 'Greek' : 'Cyrillic';
  return {
    text: `${namesDo(found.length, 'mix', 'mixes')} letters of two alphabets that look the same, such as the ${script} ${letter} (${codePoint(letter)}) in '${quoteText(name)}'`,
  };
}

/** Signs that are written for one another. The ʻokina is a letter of its own, and an en dash has its uses beside hyphens. */
const ALIKE = [
  { what: 'apostrophes', signs: "'’‘ʼ＇′´`" },
  { what: 'hyphens', signs: '-‐‑−－﹣' },
] as const;

/** Apostrophes or hyphens of several kinds. */
function punctuationOddity(names: NameList): Oddity | undefined {
  const found = ALIKE.flatMap(({ what, signs }) => {
    const used = [...signs].filter((sign) => names.vocabulary.includes(sign));
    if (used.length < 2) return [];
    const uses = used.map((sign) => ({ sign, holders: names.holding(is(sign)) }));
    return [{ what, uses: uses.sort((a, b) => b.holders.length - a.holders.length) }];
  });
  if (found.length === 0) return undefined;
  const list = found.map(({ what, uses }) => {
    const kinds = uses.map(({ sign, holders: { length } }) => `${sign} (${codePoint(sign)}) in ${length.toLocaleString('en-US')}`);
    return `${what} of ${uses.length} kinds: ${kinds.join(', ')}`;
  });
  const changes = found.map(
    ({ uses: [most, ...others] }) => `s/[${others.map(({ sign }) => perlOf(sign)).join('')}]/${perlOf(most.sign)}/g`,
  );
  return {
    text: `the names hold ${list.join('; ')}`,
    hint: `make them one: perl -CSD -pe '${changes.join('; ')}' FILE > names-only.txt`,
  };
}

function perlOf(sign: string): string {
  return `\\x{${codePoint(sign).slice(2).toLowerCase()}}`;
}

/** Text that was decoded with the wrong encoding before it was saved. */
function decodedOddity(names: NameList): Oddity | undefined {
  const lost = names.holding(is('\ufffd'));
  if (lost.length > 0) {
    return {
      text: `${namesDo(lost.length, 'hold', 'holds')} U+FFFD in place of a lost character, such as '${firstOf(lost)}'`,
      hint: 'get the file again',
    };
  }
  const garbled = names
    .holding((character) => /[ÃÂÄÅâÐÑ]/.test(character))
    .filter((name) => /[ÃÂÄÅ][\u00a0-\u00bf]|â€|[ÐÑ][\u00a0-\u00bf°±²³µ¸¹]/.test(name));
  if (garbled.length === 0) return undefined;
  return {
    text: `${namesDo(garbled.length, 'look', 'looks')} like UTF-8 that was read as Latin-1, such as '${firstOf(garbled)}'`,
    hint: 'undo it: iconv -f UTF-8 -t ISO-8859-1 FILE > utf8.txt',
  };
}
