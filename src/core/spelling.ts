/** Suggestions for misspelt words. */

/**
 * The word with the smallest edit distance, if it is at most 2 and at most half the word's length. Case is ignored; swapping two
 * neighbours counts as one edit.
 */
export function closest(word: string, words: Iterable<string>): string | undefined {
  const limit = Math.min(2, Math.floor(word.length / 2));
  let best: string | undefined;
  let least = limit + 1;
  for (const one of words) {
    const distance = editDistance(word.toLowerCase(), one.toLowerCase());
    if (distance >= least) continue;
    best = one;
    least = distance;
  }
  return best;
}

/** The number of single-letter edits: insert, delete, replace, or swap two neighbours (optimal string alignment distance). */
function editDistance(a: string, b: string): number {
  const rows = Array.from({ length: a.length + 1 }, (_, i) => Array.from({ length: b.length + 1 }, (__, j) => (i === 0 ? j : i)));
  for (let i = 1; i <= a.length; i++) {
    for (let j = 1; j <= b.length; j++) {
      const changed = rows[i - 1][j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      rows[i][j] = Math.min(rows[i - 1][j] + 1, rows[i][j - 1] + 1, changed);
      const exchanged = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (exchanged) rows[i][j] = Math.min(rows[i][j], rows[i - 2][j - 2] + 1);
    }
  }
  return rows[a.length][b.length];
}
