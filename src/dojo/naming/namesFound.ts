/** The tensors that a mistake finds in a line. */
import { GRADIENT_NAMES } from '../../lesson/exercise1.js';
import { VALUE_NAMES } from '../../lesson/values.js';
import type { ValueMistake } from '../findings.js';

/** The expressions that a mistake finds in the line. */
export function foundIn(mistake: ValueMistake): string {
  switch (mistake.id) {
    case 'exchanged':
    case 'other-expression':
      return 'confusion' in mistake && mistake.confusion === 'function-for-derivative' ? '' : mistake.found.replace(/^your own.*/, '');
    case 'factor-extra':
    case 'factor-squared':
      return mistake.factor;
    case 'division-extra':
      return mistake.by;
    case 'sums-multiplied':
      return `${mistake.a} ${mistake.b}`;
    case 'term-extra':
      return mistake.term;
    default:
      return '';
  }
}

export function tensorsIn(formula: string): string[] {
  return (formula.match(/[A-Za-z_]\w*/g) ?? []).filter((name) => NAMES.has(name));
}

const NAMES: ReadonlySet<string> = new Set<string>([...GRADIENT_NAMES, ...VALUE_NAMES]);
