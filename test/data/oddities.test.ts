import { describe, expect, it } from 'vitest';
import { NameList } from '../../src/data/nameList.js';
import { findOddities, severalPerLine } from '../../src/data/oddities.js';
import { NAMES } from '../support/fakeIO.js';

const notes = (names: readonly string[]) => findOddities(NameList.of(names)).map(({ text, hint = '' }) => `${text} => ${hint}`);
const each = (change: (name: string, i: number) => string) => NAMES.map(change);

describe('odd lines are noted:', () => {
  it.each([
    ['a table with commas', each((name, i) => `${name},F,${i}`), 'every line holds 2 commas: the names column alone? => --column 1 reads'],
    [
      'a table with semicolons',
      each((name, i) => `${i};${name}`),
      'every line holds 1 semicolon: the names column alone? => --column 2 reads',
    ],
    ['a table with bars', each((name) => `F|${name}`), 'every line holds 1 bar: the names column alone? => --column 2 reads'],
    ['a header and a table', ['Year,Name', ...each((name) => `1880,${name}`)], '=> --column Name reads that column and drops the header'],
    ['a header with blanks', ['id,First Name', ...each((name, i) => `${i},${name}`)], "=> --column 'First Name' reads"],
    ['a table with some broken lines', [...each((name, i) => `${name},${i}`), 'x'], 'every line holds 1 comma'],
    ['a trailing comma', each((name) => `"${name}",`), 'every line holds 1 comma'],
    ['a table with quotes', each((name, i) => `"${name}","${i}"`), '=> --column 1 reads'],
    ['quoted lines', each((name) => `"${name}"`), 'every line is in quotes, such as "'],
    ['single quotes', each((name) => `'${name}'`), 'every line is in quotes'],
    ['curly quotes', each((name) => `“${name}”`), '=> --column 1 reads the lines without them'],
    ['counts after names', each((name, i) => `${name} ${i}`), 'every line ends with a number, such as'],
    ['counts before names', each((name, i) => `${i} ${name}`), 'begins with a number, such as'],
    ['counts after colons', each((name, i) => `${name}: ${i}`), 'every line ends with a number'],
    ['counts after several words', each((name, i) => `${i % 2 ? 'mary ' : ''}${name} ${i}`), "=> remove it: sed -E 's/ +[^ ]+$//'"],
    ['bullets', each((name) => `- ${name}`), 'every line begins with a list mark'],
    ['numbered lines', each((name, i) => `${i}) ${name}`), 'every line begins with a list mark'],
    ['bullets below a title', ['Names', ...each((name) => `- ${name}`)], "nearly every line begins with a list mark, such as '- "],
    ['assignments below a section', ['[names]', ...each((name, i) => `${name} = ${i}`)], "sed -E 's/ *[:=] *[^ ]+$//'"],
    ['records', each((name, i) => (i % 2 ? `cn: ${name}` : `dn: uid=${name}`)), "a label, such as 'dn: uid="],
    ['one label', each((name) => `FN=${name}`), "sed -nE 's/^FN ?[:=] ?//p'"],
    ['base64', Array.from({ length: 20 }, (_, i) => `${'aB3+'.repeat(18)}${String(1000 + i)}`), 'as base64 does => decode it'],
    [
      'a merge conflict',
      [...NAMES, '<<<<<<< HEAD', 'anna', '=======', 'hanna', '>>>>>>> other'],
      "3 lines are the marks of a merge conflict, such as '<<<<<<< HEAD'",
    ],
    ['a header', ['name', ...NAMES], "the first line, 'name', looks like a header, and is read as a name => --column name drops it"],
    ['a header in capitals', ['FirstName', ...NAMES], '=> --column FirstName drops it'],
    [
      'a comment',
      ['# names of 2024', ...NAMES],
      "1 line begins like a comment, such as '# names of 2024', and is read as a name => remove it: grep -v",
    ],
    ['comments', ['// a', ...NAMES, '// b'], '2 lines begin like a comment'],
    [
      'several names per line',
      Array.from({ length: 10 }, (_, i) => NAMES.slice(i, i + 5 + (i % 3)).join(', ')),
      'most lines hold 3 or more commas',
    ],
    [
      'several words per line',
      Array.from({ length: 10 }, (_, i) => NAMES.slice(i, i + 12 + (i % 3)).join(' ')),
      'most lines hold 8 or more blanks',
    ],
  ])('%s', (_, names, note) => {
    expect(notes(names).join('\n')).toContain(note);
  });
});

describe('odd characters are noted, with code points:', () => {
  it.each([
    ['a zero width space', 'em\u200bma', "1 name holds characters that cannot be seen, such as 'em\\u200bma': U+200B zero width space"],
    ['a soft hyphen', 'em\u00adma', 'U+00AD soft hyphen'],
    ['a no-break space', 'mary\u00a0ann', "such as 'mary\\u00a0ann': U+00A0 no-break space"],
    ['an ideographic space', '山田\u3000太郎', 'U+3000 ideographic space'],
    ['a thin space', 'mary\u2009ann', 'U+2009 space'],
    ['a mark inside', 'em\ufeffma', 'U+FEFF byte order mark'],
    ['a joiner', 'em\u200dma', 'U+200D zero width joiner'],
    ['a non-joiner', 'em\u200cma', 'U+200C zero width non-joiner'],
    ['a word joiner at the end', 'emma\u2060', 'U+2060 word joiner'],
    ['a variation selector', 'emma\ufe0f', 'U+FE0F variation selector'],
    ['a tag character', 'emma\u{e0041}', "'emma\\u{e0041}': U+E0041 tag character"],
    ['a Hangul filler', 'em\u3164ma', 'U+3164 Hangul filler'],
    ['a Cyrillic letter', 'аnna', "1 name mixes letters of two alphabets that look the same, such as the Cyrillic а (U+0430) in 'аnna'"],
    ['a Greek letter', 'Αnna', 'the Greek Α (U+0391)'],
    ['a lost character', 'zo\ufffd', '1 name holds U+FFFD in place of a lost character'],
    ['wrong decoding', 'zoÃ©', "1 name looks like UTF-8 that was read as Latin-1, such as 'zoÃ©'"],
    ['an entity', 'zo&eacute;', '1 name holds an HTML entity'],
  ])('%s', (_, name, note) => {
    expect(notes([...NAMES, name]).join('\n')).toContain(note);
  });

  it.each([
    [
      'apostrophes',
      ["o'neil", "d'arcy", 'o\u2019hara'],
      "apostrophes of 2 kinds: ' (U+0027) in 2, \u2019 (U+2019) in 1",
      's/[\\x{2019}]/\\x{0027}/g',
    ],
    [
      'three apostrophes',
      ['o\u2019neil', 'd\u2019arcy', 'o\u02bchara', 'd`or'],
      'apostrophes of 3 kinds',
      's/[\\x{02bc}\\x{0060}]/\\x{2019}/g',
    ],
    [
      'hyphens',
      ['jean-luc', 'jean\u2010paul', 'anne-marie'],
      'hyphens of 2 kinds: - (U+002D) in 2, \u2010 (U+2010) in 1',
      's/[\\x{2010}]/\\x{002d}/g',
    ],
    ['no-break hyphens', ['jean-luc', 'jean\u2011paul'], 'hyphens of 2 kinds', '\\x{2011}'],
    [
      'both',
      ["o'neil", 'o\u2019hara', 'jean-luc', 'jean\u2212paul'],
      'hyphens of 2 kinds',
      "'s/[\\x{2019}]/\\x{0027}/g; s/[\\x{2212}]/\\x{002d}/g'",
    ],
  ])('%s of several kinds', (_, names, text, change) => {
    const [note, ...others] = notes([...NAMES, ...names]);
    expect(note).toContain(text);
    expect(note).toContain(change);
    expect(others).toEqual([]);
  });

  it('a letter in two forms, and how many names are there twice', () => {
    const [note] = notes([...NAMES, 'ren\u00e9', 'zoe\u0301', 'rene\u0301']);
    expect(note).toBe(
      'some letters are written in two ways that look the same: é as U+00E9 and as U+0065 U+0301; 1 name is there in both forms => ' +
        '--normalize nfc makes them one',
    );
  });
});

describe('nothing is said about', () => {
  it.each([
    ['names', NAMES],
    ['one name', ['anna']],
    ['two names', ['anna', 'bob']],
    ['apostrophes, hyphens and blanks', each((name, i) => ["o'neil", 'jean-luc', 'mary ann', "d'arcy", "ka'i"][i % 5] + name)],
    ['curly apostrophes alone', each((name, i) => ['o’neil', 'd’arcy', 'x'][i % 3] + name)],
    ['an ʻokina beside apostrophes', ['kaʻi', "o'neil", ...NAMES]],
    ['dashes beside hyphens', ['Cauchy–Schwarz', 'Levi-Civita', ...NAMES]],
    ['titles with colons', each((name) => `${name}: a life`)],
    ['hashes', Array.from({ length: 20 }, (_, i) => 'ab01'.repeat(16).replace('a', String(i % 10)))],
    ['full names', each((name, i) => `${name} ${NAMES[(i + 1) % NAMES.length]}`)],
    ['names with a comma in few lines', each((name, i) => (i % 10 === 0 ? `${name}, the great` : name))],
    ['species', each((name, i) => (i % 4 === 0 ? `${name} lupus (Linnaeus, 1758)` : `${name} lupus`))],
    ['numbers', each((_, i) => String(1000 + i))],
    ['digits inside', each((name, i) => `${name}${i}`)],
    ['numbers in some lines', each((name, i) => (i % 3 === 0 ? `${name} 7` : name))],
    ['a word "name" that is not first', [...NAMES, 'name']],
    ['hashtags', each((name) => `#${name}`)],
    ['Chinese', ['李娜', '王伟', '张敏', '刘洋', '陈静', '杨磊']],
    ['Japanese with Latin letters', ['田中A子', 'Bさん', '佐藤', '鈴木', '高橋', '伊藤']],
    ['Persian with non-joiners', ['می\u200cخواهم', 'خانه\u200cها', 'علی', 'رضا', 'سارا', 'مریم']],
    ['Hindi with joiners', ['क्\u200dष', 'राम', 'श्री', 'सीता', 'लक्ष्मी', 'गीता']],
    ['emoji', ['👩\u200d🚀', '❤\ufe0f', '👍🏽', '🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}', '😀', '👨\u200d👩\u200d👧']],
    ['accents in one form', ['zoé', 'renée', 'anaïs', 'chloé', 'noël', 'françois']],
    ['accents in the other form', ['zoé', 'renée', 'anaïs', 'chloé', 'noël', 'françois'].map((name) => name.normalize('NFD'))],
    ['Vietnamese', ['Nguyễn', 'Trần', 'Lê', 'Phạm', 'Hoàng', 'Võ']],
    ['Cyrillic', ['анна', 'мария', 'ольга', 'иван', 'пётр', 'сергей']],
    ['two alphabets, but not in a word', ['анна', 'anna', 'Tokyo Токио', 'ольга', 'ivan', 'x-луч']],
    ['Greek letters with Latin words', ['α-tocopherol', 'β-carotene', 'γ-ray', 'π', 'μm', 'Ωmega']],
    ['Portuguese in capitals', ['JOÃO', 'CONCEIÇÃO', 'GUIMARÃES', 'ÂNGELA', 'ANDRÉ', 'ZÉ']],
    ['ampersands', ['AT&T', 'R&B; soul', 'Marks & Spencer', 'a', 'b', 'c']],
  ])('%s', (_, names) => {
    expect(notes(names)).toEqual([]);
    expect(severalPerLine(NameList.of(names))).toBeUndefined();
  });
});

describe('all names in a line', () => {
  it.each([
    ['commas', NAMES.join(','), 'its only line holds 59 commas'],
    ['commas and blanks', NAMES.join(', '), 'its only line holds 59 commas'],
    ['blanks', NAMES.join('  '), 'its only line holds 59 blanks'],
    ['tabs', NAMES.join('\t'), "tr '\\t' '\\n'"],
  ])('are found: %s', (_, line, note) => {
    const { text, hint } = severalPerLine(NameList.of([line])) ?? {};
    expect(`${text}; ${hint}`).toContain(note);
  });
});
