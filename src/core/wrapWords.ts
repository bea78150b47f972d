/** How many columns a text takes. */
type Measure = (text: string) => number;

const characters: Measure = (text) => [...text].length;

/**
 * Lines of at most `width` columns, broken between words, but not within a shape such as [1, 64], a size such as n = 3 or a quoted command. A word that is
 * longer than a line is broken too.
 * @param columns how many columns a text takes; by default one per character
 */
export function wrapWords(text: string, width: number, columns: Measure = characters): string[] {
  const lines: string[] = [];
  for (const word of unbroken(text, width, columns).flatMap((one) => pieces(one, width, columns))) {
    const last = lines.at(-1);
    if (last !== undefined && columns(last) + 1 + columns(word) <= width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

/** The words of a text, with shapes, sizes and quotations that fit into a line in one piece. */
function unbroken(text: string, width: number, columns: Measure): string[] {
  const words = [''];
  for (const [i, part] of text.split(/(?<=^|[\s(])('[^']*'(?=[\s,.;:)]|$)|\[[\d, ]+\]|[A-Za-z]\w* = \d+)/).entries()) {
    // Every second part is a shape, a size or a quotation. It is joined to what stands before and after it, such as a semicolon.
    const [first, ...rest] = i % 2 === 1 && columns(part) <= width ? [part] : part.split(' ');
    words[words.length - 1] += first;
    for (const word of rest) words.push(word);
  }
  return words;
}

function pieces(word: string, width: number, columns: Measure): string[] {
  const most = Math.max(1, width);
  if (columns(word) <= most) return [word];
  const parts = [''];
  for (const { segment } of new Intl.Segmenter().segment(word)) {
    const longer = parts[parts.length - 1] + segment;
    if (longer === segment || columns(longer) <= most) parts[parts.length - 1] = longer;
    else parts.push(segment);
  }
  return parts;
}
