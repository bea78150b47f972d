/** Numbers as the page writes them. */
import { showValue } from '../../lesson/whyText.js';
import { unusual } from './colors.js';

/** A number as the terminal shows it, with at most four significant digits; words for what is not finite. */
export function showNumber(value: number): string {
  return unusual(value) ?? withMinus(showValue(value));
}

/** A formula or numbers with the sign that is as wide as a digit. */
export function withMinus(text: string): string {
  return text.replaceAll('-', '−');
}

/** [32,27] */
export function showSizes(shape: readonly number[]): string {
  return `[${shape.join(',')}]`;
}

/** The place of an entry in the row-major data. */
export function positionOf(at: readonly number[], shape: readonly number[]): number {
  return at.reduce((position, index, k) => position * (shape[k] as number) + index, 0);
}

/** Whether the shape has this entry. */
export function isIn(at: readonly number[], shape: readonly number[]): boolean {
  return at.length === shape.length && at.every((index, k) => index >= 0 && index < (shape[k] as number));
}

/** Rows and columns of the picture of a tensor: [n,T,E] is drawn as [n,T·E], [H] and [] as one row. */
export function gridOf(shape: readonly number[]): [rows: number, columns: number] {
  if (shape.length < 2) return [1, shape[0] ?? 1];
  return [shape[0] as number, shape.slice(1).reduce((product, size) => product * size, 1)];
}

/** A loss as the terminal prints it. */
export function showLoss(value: number): string {
  return value.toFixed(4);
}
