/** Text that is safe to print, whatever it holds. */

/** Text from outside, safe for a terminal: control and bidirectional characters as escapes. */
export function showText(text: string): string {
  return text.replace(UNPRINTABLE, (c) => {
    const code = c.codePointAt(0) as number;
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
  });
}

/** The beginning of a text from outside, escaped: what a message can quote. */
export function quoteText(text: string): string {
  const shown = showText(text);
  return shown.length <= 60 ? shown : `${shown.slice(0, 60)}…`;
}

/** A path for a message: escaped, and quoted where blanks or quotes would leave its ends unclear. */
export function showPath(path: string): string {
  const shown = showText(path);
  return /[\s"']/.test(shown) || shown === '' ? `'${shown}'` : shown;
}

/** C0 and C1 controls, line and paragraph separators, and the marks that turn the direction of text. */
export const UNPRINTABLE = /[\p{Cc}\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu;
