/** Everything that is drawn of a step: its equation, by atomic lines or as a closed form, and the tensor with its gradient. */

import { largestMagnitude } from '../../../core/numbers.js';
import { type ClosedFormName, type ClosedTerms, closedTerms } from '../../../lesson/closedTerms.js';
import type { TensorName } from '../../../lesson/entry.js';
import { gradientNamed } from '../../../lesson/values.js';
import type { PassData } from '../../engine/pass.js';
import type { PageState } from '../../properties.js';
import { equationOf, type Item, type MapBlock, mapOf, mapsOf, valuesOf } from './equation.js';
import { closedFormOf, lettersOf, valueBehind } from './steps.js';

export interface StepPicture {
  items: readonly Item[];
  /** The value, and the gradient where there is one. */
  pair: readonly MapBlock[];
  /** All heat maps. */
  maps: readonly MapBlock[];
  /** Set for a closed form. */
  closed?: { name: ClosedFormName; terms: ClosedTerms; difference: number };
}

const PICTURES = new WeakMap<PassData, Map<string, StepPicture>>();

export function pictureOf(data: PassData, step: TensorName, form: PageState['form']): StepPicture {
  const pictures = PICTURES.get(data) ?? new Map<string, StepPicture>();
  PICTURES.set(data, pictures);
  const key = `${form} ${step}`;
  const picture = pictures.get(key) ?? draw(data, step, form);
  pictures.set(key, picture);
  return picture;
}

function draw(data: PassData, step: TensorName, form: PageState['form']): StepPicture {
  const name = form === 'closed' ? closedFormOf(step) : undefined;
  const { items, closed } = name === undefined ? { items: equationOf(data, step) } : closedPicture(data, name);
  const above = items.flatMap(({ block }) => mapsOf(block));
  const value = valueBehind(step);
  const tensors = value === 'loss' ? [value] : [value, gradientNamed(value)];
  const pair = tensors.map((one) => ({ ...mapOf(data, one), isAgain: above.some(({ name: other }) => other === one) }));
  return { items, pair, maps: [...above, ...pair], ...(closed && { closed }) };
}

/** A closed form as the sum of its terms. */
function closedPicture(data: PassData, name: ClosedFormName): Required<Pick<StepPicture, 'items' | 'closed'>> {
  const terms = closedTerms(valuesOf(data), name);
  const items = terms.terms.map(({ label, value: { data: entries, shape } }, i): Item => {
    const block: MapBlock = { kind: 'map', text: label, letters: lettersOf(name), tensor: { data: entries as Float64Array, shape } };
    return { sign: i > 0 ? '+' : '', block };
  });
  items.push({ sign: '=', block: { ...mapOf(data, name), isResult: true } });
  const difference = largestMagnitude(terms.value.sub(valuesOf(data)[name]).data);
  return { items, closed: { name, terms, difference } };
}
