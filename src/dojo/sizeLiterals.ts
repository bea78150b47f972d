import type { Fault } from './findings.js';
import type { ValuesAndGradients } from './learnerFile.js';

/**
 * Finds sizes that a line writes as numbers, by searching its source text; undefined if there are none.
 * @param text the line as JavaScript, without comments
 * @param lesson the values on the lesson's batch, which has these sizes
 */
export function sizesAsNumbers(text: string, lesson: ValuesAndGradients): Fault | undefined {
  const sizes = sizesOf(lesson);
  const code = text.replace(/'[^'\n]*'|"[^"\n]*"|`[^`]*`/g, '');
  const numbers = new Set((code.match(NUMBER) ?? []).map(Number));
  if (!isSize(code, lesson.Xb.shape[1])) numbers.delete(lesson.Xb.shape[1]);
  const found = [...numbers].flatMap((number) => (sizes.has(number) ? [{ number, ...(sizes.get(number) as Size) }] : []));
  return found.length === 0 ? undefined : { id: 'sizes-as-numbers', sizes: found };
}

const NUMBER = /(?<![\w.$])\d+(?![\w.])/g;

/** Whether a small number is written as a size: in a list of sizes, or as the end of a loop. Elsewhere it may be a power. */
function isSize(code: string, number: number): boolean {
  const lists = code.match(/\[[^[\]]*\]|\b(?:view|reshape)\([^()]*\)/g) ?? [];
  const inLists = lists.flatMap((list) => list.match(NUMBER) ?? []);
  return inLists.includes(`${number}`) || new RegExp(`(?:<=?|\\brange\\()\\s*${number}(?![\\w.])`).test(code);
}

interface Size {
  size: string;
  /** The expression to write instead. */
  instead: string;
}

function sizesOf({ n, Xb, C, embact, h }: ValuesAndGradients): ReadonlyMap<number, Size> {
  const [V, E] = C.shape;
  return new Map([
    [n, { size: 'n', instead: 'n' }],
    [n - 1, { size: 'n - 1', instead: 'n - 1' }],
    [V, { size: 'V', instead: 'logits.shape[1]' }],
    [Xb.shape[1], { size: 'T', instead: 'Xb.shape[1]' }],
    [E, { size: 'E', instead: 'C.shape[1]' }],
    [embact.shape[1], { size: 'T·E', instead: 'embact.shape[1]' }],
    [h.shape[1], { size: 'H', instead: 'h.shape[1]' }],
  ]);
}
