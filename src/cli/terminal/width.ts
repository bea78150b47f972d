/** How many columns of a terminal a text takes. */

/** Text whose characters take one column each: Latin letters, and the signs that the program itself prints. */
const NARROW = /^[\x20-\x7e\xa1-\xac\xae-\u02ff–—‘’“”•…−·×✓─│└]*$/;

let measure = (text: string): number => [...text].length;

/**
 * Loads the table of widths if one of the texts needs it: East Asian characters take two columns, combining marks none. That takes 40 ms,
 * so it is left out for other texts.
 */
export async function loadWidths(...texts: readonly string[]): Promise<void> {
  if (texts.every((text) => NARROW.test(text))) return;
  measure = (await import('string-width')).default;
}

/** The columns of a text in one line. Call {@link loadWidths} first, with the user's texts. */
export function displayWidth(text: string): number {
  return NARROW.test(text) ? text.length : measure(text);
}
