/** What a file without a layer has instead. */
import { FileContentError } from '../../core/errors.js';
import { closest } from '../../core/spelling.js';
import { quoteName, showPath } from '../../core/text.js';
import { PARTS } from '../../gradCheck/anyLayer/layer.js';
import type { OtherExport } from './protocol.js';

/** Exports that a message lists. */
const MAX_LISTED = 5;
const HINT = { hint: 'for a specification to start from', command: 'grad-check --example' };

/** Says which exports the file has, and what they lack. */
export function noLayerError(shownAs: string, others: readonly OtherExport[]): FileContentError {
  const file = showPath(shownAs);
  if (others.length === 0) return new FileContentError(`${file} has no layer: it exports nothing`, HINT);
  const functions = PARTS.filter((part) => others.some(({ name, kind }) => name === part && kind === 'a function'));
  if (functions.length === PARTS.length) {
    const hint = 'export them in one object: export const layer = defineLayer({ inputs, forward, backward })';
    return new FileContentError(`${file} has no layer: inputs, forward and backward are exports of their own`, { hint });
  }
  const almost = others.filter((other) => other.functions);
  const listed = (almost.length > 0 ? almost : others).slice(0, MAX_LISTED).map(almost.length > 0 ? lackText : kindText);
  const more = (almost.length > 0 ? almost : others).length - listed.length;
  const text = `${listed.join('; ')}${more > 0 ? `; and ${more} more` : ''}`;
  return new FileContentError(`${file} has no layer: ${almost.length > 0 ? '' : 'its exports are '}${text}`, HINT);
}

/** layerNorm has inputs and forward, but no backward; did you mean that by 'backwards'? */
export function lackText({ name, functions = [] }: OtherExport): string {
  const has = PARTS.filter((part) => functions.includes(part));
  const lacks = PARTS.filter((part) => !functions.includes(part));
  const meant = lacks.flatMap((part) => {
    const similar = closest(
      part,
      functions.filter((one) => !PARTS.includes(one as never)),
    );
    return similar === undefined ? [] : [` (did you mean ${part} by ${quoteName(similar, "'")}?)`];
  });
  return `${quoteName(name)} has ${has.join(' and ')}, but no ${lacks.join(' and no ')}${meant.join('')}`;
}

function kindText({ name, kind }: OtherExport): string {
  return `${quoteName(name)} (${kind})`;
}
