import { randomStream, shuffled } from '../../core/random.js';
import { LayerThrew } from './calls.js';
import type { LayerOptions, SizeChoices, Sizes } from './layer.js';

/** The most combinations of sizes that are tried. */
const MOST = 12;

/**
 * The combinations to try: at most 12, each value used. Combinations in which two letters are equal are left out unless a value occurs in no
 * other: where n equals d, taking n for d is not seen.
 * @throws LayerThrew if they are no lists of sizes
 */
export function sizesToTry(choices: SizeChoices = {}, seed: number | string = ''): Sizes[] {
  for (const [letter, values] of Object.entries(choices)) checkList(letter, values);
  const all = Object.entries(choices).reduce<Sizes[]>(
    (combinations, [letter, values]) =>
      combinations.flatMap((sizes) => [...new Set(values)].map((value) => ({ ...sizes, [letter]: value }))),
    [{}],
  );
  const different = all.filter((sizes) => new Set(Object.values(sizes)).size === Object.keys(sizes).length);
  if (all.length <= MOST && different.length === 0) return all;
  const unused = unusedValues(choices, different);
  const candidates = [...different, ...coverWith(unused, all)];
  return candidates.length <= MOST ? candidates : fewest(choices, candidates, seed);
}

function checkList(letter: string, values: unknown): void {
  if (Array.isArray(values) && values.length > 0 && values.every((value) => Number.isInteger(value) && value >= 0)) return;
  throw new LayerThrew(`sizes: ${letter} must be a list of whole numbers, such as [1, 3], found ${JSON.stringify(values)}`);
}

type Value = readonly [letter: string, value: number];

function unusedValues(choices: SizeChoices, combinations: readonly Sizes[]): Value[] {
  const values = Object.entries(choices).flatMap(([letter, ofLetter]) => ofLetter.map((value): Value => [letter, value]));
  return values.filter(([letter, value]) => !combinations.some((sizes) => sizes[letter] === value));
}

/** Combinations that together use the values, each chosen for the most values that are still unused. */
function coverWith(values: readonly Value[], combinations: readonly Sizes[]): Sizes[] {
  const chosen: Sizes[] = [];
  let left = values;
  while (left.length > 0) {
    const uses = (sizes: Sizes) => left.filter(([letter, value]) => sizes[letter] === value).length;
    const best = combinations.reduce((most, sizes) => (uses(sizes) > uses(most) ? sizes : most));
    if (uses(best) === 0) break;
    chosen.push(best);
    left = left.filter(([letter, value]) => best[letter] !== value);
  }
  return chosen;
}

/** Those that use every value, and random others up to the limit. More than 12 values of one letter: the first 12. */
function fewest(choices: SizeChoices, combinations: readonly Sizes[], seed: number | string): Sizes[] {
  const random = shuffled(combinations, randomStream('grad-check', `${seed} sizes`));
  const covering = coverWith(unusedValues(choices, []), random).slice(0, MOST);
  const others = random.filter((sizes) => !covering.includes(sizes));
  const chosen = new Set([...covering, ...others.slice(0, MOST - covering.length)]);
  return combinations.filter((sizes) => chosen.has(sizes));
}

/** Whether the layer is in training, in each case to try. */
export function trainingsToTry(train: LayerOptions['train'] = true): boolean[] {
  const trains = typeof train === 'boolean' ? [train] : [...new Set(train)];
  if (trains.length === 0) throw new LayerThrew('train: expected true, false, or a list of both, found []');
  return trains;
}
