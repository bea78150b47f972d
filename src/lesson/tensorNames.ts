/** The lesson's names as people write them: the lecture's words, other spellings, autograd's `C.grad`. */
import { closest } from '../core/spelling.js';

/** The lecture calls embact embcat. */
const LECTURE_NAMES: ReadonlyMap<string, string> = new Map([
  ['embcat', 'embact'],
  ['dembcat', 'dembact'],
]);

/** The lesson's name of a tensor that the lecture calls something else; any other name unchanged. */
export function lessonName(name: string): string {
  return LECTURE_NAMES.get(name) ?? name;
}

/** The shortest word for which a typing mistake can be told from another word: `dx` is neither dC nor dh. */
const LEAST_LENGTH = 4;
/** A longer word is not a misspelt name. */
const MOST_LENGTH = 64;

/**
 * The name that a misspelt one probably means. Case, spaces, dots and underscores do not matter; C.grad, grad_C, gradC, C_grad and dL/dC are dC.
 * @param names the lesson's names to choose from
 */
export function similarName(word: string, names: readonly string[]): string | undefined {
  if (word.length > MOST_LENGTH) return undefined;
  const known = new Map(names.map((name) => [lettersOf(name), name]));
  const words = [...readings(word)].map((reading) => lettersOf(lessonName(lettersOf(reading))));
  const same = words.find((one) => known.has(one));
  if (same !== undefined) return known.get(same);
  for (const one of words) {
    if (one.length < LEAST_LENGTH) continue;
    const found = closest(one, known.keys()) ?? longestShared(one, [...known.keys()]);
    if (found !== undefined) return known.get(found);
  }
  return undefined;
}

function lettersOf(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, '');
}

/** What a name may stand for, the most complete reading first. Under a path such as model.W1, the last part counts alone, too. */
function* readings(word: string): Generator<string> {
  const parts = word.split(/[^A-Za-z0-9]+/).filter((part) => part !== '');
  const others = parts.filter((part) => !/^grad(s|ient|ients)?$/i.test(part));
  if (others.length < parts.length && others.length > 0) {
    yield `d${others.join('')}`;
    yield `d${others[others.length - 1]}`;
  }
  const [, joined] = /^(?:grad(?:ient)?)([A-Z].*)$/.exec(word) ?? [];
  if (joined !== undefined) yield `d${joined}`;
  const [, quotient] = /^[d\u2202]_?l(?:oss)?[^A-Za-z0-9]*(?:by|over)?[^A-Za-z0-9]*[d\u2202]_?(.+)$/i.exec(word) ?? [];
  if (quotient !== undefined) yield `d${quotient}`;
  yield word;
  if (parts.length > 1) yield parts[parts.length - 1];
}

/** The longest name that the word continues, or that continues the word: dcountssuminv for dcountssuminverse. */
function longestShared(word: string, names: readonly string[]): string | undefined {
  const shared = names.filter((name) => name.length >= LEAST_LENGTH && (word.startsWith(name) || name.startsWith(word)));
  return shared.sort((a, b) => b.length - a.length)[0];
}
