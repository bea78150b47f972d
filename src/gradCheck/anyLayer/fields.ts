import { closest } from '../../core/spelling.js';
import { quoteText } from '../../core/text.js';
import { LayerThrew } from './calls.js';
import type { Layer } from './layer.js';

const FIELDS: readonly (keyof Layer)[] = [
  'sizes',
  'inputs',
  'forward',
  'backward',
  'train',
  'constant',
  'accumulates',
  'mayChange',
  'batch',
];

/**
 * Refuses a misspelt field: without it, the layer would be checked for less. Other fields are the layer's own.
 * @throws LayerThrew with the field that was probably meant
 */
export function checkFields(layer: Layer): void {
  for (const field of Object.keys(layer)) {
    const meant = (FIELDS as readonly string[]).includes(field) ? undefined : closest(field, FIELDS);
    if (meant !== undefined && !(meant in layer)) throw new LayerThrew(`a layer has no field ${quoteText(field)}; did you mean ${meant}?`);
  }
}

/**
 * Refuses misspelt names of inputs in the fields of a layer.
 * @throws LayerThrew with the input that was probably meant
 */
export function checkNames({ constant = [], accumulates, mayChange = [], batch }: Layer, names: readonly string[]): void {
  const lists = { constant, accumulates: typeof accumulates === 'object' ? accumulates : [], mayChange, batch: batch?.inputs ?? [] };
  for (const [field, listed] of Object.entries(lists)) {
    for (const name of listed) {
      if (names.includes(name) || (field === 'mayChange' && name === 'dout')) continue;
      const meant = closest(name, names);
      if (meant !== undefined) throw new LayerThrew(`${field}: there is no input ${quoteText(name)}; did you mean ${meant}?`);
    }
  }
}
