/** A text in three parts: what it has in common with another one is before and after the middle. */
export type Parts = readonly [before: string, middle: string, after: string];

/** Two texts, each in parts, word by word. */
export function differingParts(left: string, right: string): [Parts, Parts] {
  const [a, b] = [wordsOf(left), wordsOf(right)];
  const most = Math.min(a.length, b.length);
  let before = 0;
  while (before < most && a[before] === b[before]) before++;
  let after = 0;
  while (after < most - before && a.at(-1 - after) === b.at(-1 - after)) after++;
  const partsOf = (words: readonly string[]): Parts => [
    words.slice(0, before).join(''),
    words.slice(before, words.length - after).join(''),
    words.slice(words.length - after).join(''),
  ];
  return [partsOf(a), partsOf(b)];
}

function wordsOf(text: string): string[] {
  return text.match(/\w+|\s+|[^\w\s]/g) ?? [];
}
