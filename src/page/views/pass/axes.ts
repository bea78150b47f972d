/** What the indices of an entry mean: which example of the batch, which character. */
import type { PassData } from '../../engine/pass.js';

/**
 * The meaning of an index, as text: `example ..e → m`, `character m`.
 * @param letters the shape in the lesson's letters
 * @param at one index per dimension
 */
export function meaningOf(letters: readonly (string | number)[], at: readonly number[], data: PassData): string {
  const example = letters[0] === 'n' ? (at[0] as number) : undefined;
  return letters.flatMap((letter, k) => meanings(String(letter), at[k] as number, example, data)).join(', ');
}

function meanings(letter: string, index: number, example: number | undefined, data: PassData): string[] {
  const { context: T, embedding: E } = data.config;
  const position = (t: number) => {
    const character = example === undefined ? '' : ` (${characterAt(data, data.batch.Xb.data[example * T + t] as number)})`;
    return `position ${t + 1} of the context${character}`;
  };
  switch (letter) {
    case 'n': {
      const { context, target } = data.examples[index] as PassData['examples'][number];
      return [`example ${context} → ${target}`];
    }
    case 'V':
      return [`character ${characterAt(data, index)}`];
    case 'T':
      return [position(index)];
    case 'T·E':
      return [position(Math.floor(index / E))];
    case 'H':
      return [`unit ${index}`];
    default:
      return [];
  }
}

function characterAt(data: PassData, index: number): string {
  return data.vocabulary[index] ?? '.';
}
