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
  const shown = showText(text);
  return shown.length <= 60 ? shown : `${shown.slice(0, 60)}…`;
}

/** A path for a message: escaped, and in quotes if it is empty or contains spaces or quotes. */
export function showPath(path: string): string {
  const shown = showText(path);
  return /[\s"']/.test(shown) || shown === '' ? `'${shown}'` : shown;
}

/**
 * A word of a command, quoted if a POSIX shell needs it.
 * @param kind a file whose name begins with a dash would be parsed as an option
 */
export function shellWord(text: string, kind: 'text' | 'file' = 'text'): string {
  const word = kind === 'file' && text.startsWith('-') ? `./${text}` : text;
  if (/^[\w@%+=:,./-]+$/.test(word)) return word;
  // Characters that are not printed as they are become escapes, which $'…' reads.
  const escaped = showText(word.replace(/[\\']/g, '\\$&'));
  return escaped.includes('\\') ? `$'${escaped}'` : `'${word}'`;
}

/** C0 and C1 controls, line and paragraph separators, and marks that change the direction of text. */
export const UNPRINTABLE = /[\p{Cc}\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu;
