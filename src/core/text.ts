/** Text that is safe to print to a terminal. */

/** The text with control and bidirectional characters escaped: \x1b, \u202e. */
export function showText(text: string): string {
  return text.replace(UNPRINTABLE, (c) => {
    const code = c.codePointAt(0) as number;
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
  });
}

/** The first 60 characters of the text, escaped, for quoting in a message. */
export function quoteText(text: string): string {
  const shown = [...showText(text)];
  return shown.length <= 60 ? shown.join('') : `${shown.slice(0, 60).join('')}…`;
}

/** The character's code point: U+200B. */
export function codePoint(character: string): string {
  return `U+${(character.codePointAt(0) as number).toString(16).toUpperCase().padStart(4, '0')}`;
}

/** The text, quotable, with everything escaped that has no glyph of its own: invisible characters, combining marks, unusual spaces. */
export function quoteHidden(text: string): string {
  return quoteText(
    text.replace(HIDDEN, (c) => `\\u${c.length === 1 ? codePoint(c).slice(2).toLowerCase() : `{${codePoint(c).slice(2).toLowerCase()}}`}`),
  );
}

/** In quotes of the caller's, with the code points of what is not ASCII beside it: a Cyrillic С looks like a C. */
export function quoteName(text: string, quote = ''): string {
  const foreign = [...new Set(text)].filter((character) => character > '~' && character.search(UNPRINTABLE) === -1);
  const points = foreign.length === 0 ? '' : ` (with ${foreign.slice(0, 3).map(codePoint).join(' ')})`;
  return `${quote}${quoteText(text)}${quote}${points}`;
}

/** At most this many characters of a vocabulary are shown. */
const MAX_SHOWN = 40;

/**
 * A list of characters for a message: the first 40, and how many more there are.
 * @param points which ones have their code point beside them: those whose glyph tells too little, or all outside ASCII
 */
export function showCharacters(characters: readonly string[], points: 'hidden' | 'all' = 'hidden'): string {
  const shown = characters.slice(0, MAX_SHOWN).map((character) => {
    if (character.search(HIDDEN) !== -1 || character.search(UNPRINTABLE) !== -1) return codePoint(character);
    if (character === ' ') return "' '";
    return character > '~' && (points === 'all' || LOOKALIKES.test(character)) ? `${character} (${codePoint(character)})` : character;
  });
  const more = characters.length > MAX_SHOWN ? ` ... and ${(characters.length - MAX_SHOWN).toLocaleString('en-US')} more` : '';
  const isDense = points === 'hidden' && shown.every((one) => [...one].length === 1);
  return `${shown.join(isDense ? '' : ' ')}${more}`;
}

/** Characters without a glyph of their own: invisible ones, combining marks, and all spaces but the plain one. */
const HIDDEN = /[\p{Default_Ignorable_Code_Point}\p{Mn}\p{Me}\u2800]|(?! )\p{Zs}/gu;

/** Whether the text prints as an empty line. */
export function isBlank(text: string): boolean {
  return /^[\s\p{Default_Ignorable_Code_Point}\u2800]*$/u.test(text);
}

/** Greek and Cyrillic letters that look like a Latin one. */
export const LOOKALIKES = /[ΑΒΕΖΗΙΚΜΝΟΡΤΥΧονϲАВЕЅІЈКМНОРСТУХавеѕіјкорсухһԁԛԝ]/u;

/** The text with its first letter as a capital. */
export function capitalised(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

/** The terms of a sum as one text: a + b - c, where a term begins with its sign. */
export function sumText(terms: readonly string[]): string {
  return terms.map((term, k) => (k === 0 ? term : term.startsWith('-') ? ` - ${term.slice(1)}` : ` + ${term}`)).join('');
}

/** 2,000 */
export function formatCount(count: number): string {
  return count.toLocaleString('en-US');
}

/** 1 name, 2,000 names */
export function countOf(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? '' : 's'}`;
}

/** 1.5 GiB */
export function formatBytes(bytes: number): string {
  const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];
  const power = Math.min(units.length - 1, Math.floor(Math.log2(Math.max(1, bytes)) / 10));
  return `${power === 0 ? bytes : (bytes / 1024 ** power).toFixed(1)} ${units[power]}`;
}

let workingDirectory: (() => string) | undefined;

/**
 * Makes all messages of this process show a path below its working directory as it would be typed there: one file looks the same everywhere.
 * @param directory called for each path; it may throw, as in a directory that was deleted
 */
export function showPathsFrom(directory: () => string): void {
  workingDirectory = directory;
}

/** The path, relative to the working directory if it is below it. */
function asTyped(path: string): string {
  if (!workingDirectory || !/^([\\/]|[A-Za-z]:)/.test(path)) return path;
  try {
    const directory = workingDirectory().replace(/[\\/]$/, '');
    const below = path.startsWith(directory) ? path.slice(directory.length) : '';
    return /^[\\/]./.test(below) ? below.slice(1) : path;
  } catch {
    return path;
  }
}

/** A path for a message: escaped, in quotes if it is empty or contains spaces or quotes, and as it would be typed ({@link showPathsFrom}). */
export function showPath(path: string): string {
  const shown = showText(asTyped(path));
  return /[\s"']/.test(shown) || shown === '' ? `'${shown}'` : shown;
}

/**
 * A word of a command, quoted if a POSIX shell needs it, in one line of printable characters. A word that ends with a newline needs a shell that
 * knows $'…', as bash and zsh do.
 * @param kind a file whose name begins with a dash would be parsed as an option
 */
export function shellWord(text: string, kind: 'text' | 'file' = 'text'): string {
  const word = kind === 'file' && text.startsWith('-') ? `./${text}` : text;
  if (/^[\w@%+=:,./-]+$/.test(word)) return word;
  if (word.search(UNPRINTABLE) === -1) return `'${word.replaceAll("'", `'\\''`)}'`;
  const escaped = word.replace(/[\\']/g, inOctal).replace(UNPRINTABLE, inOctal);
  // The shell drops newlines at the end of what a command prints.
  return word.endsWith('\n') ? `$'${escaped.replaceAll('\\0', '\\')}'` : `"$(printf %b '${escaped}')"`;
}

/** The UTF-8 bytes of a text as printf's %b reads them: \0012 is a newline. */
function inOctal(text: string): string {
  return [...new TextEncoder().encode(text)].map((byte) => `\\0${byte.toString(8).padStart(3, '0')}`).join('');
}

/** C0 and C1 controls, line and paragraph separators, and marks that change the direction of text. */
export const UNPRINTABLE = /[\p{Cc}\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu;
