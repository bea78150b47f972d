import { copyExample, type Examples } from './dataset.js';
import { type RandomStream, randomInteger } from './random.js';

/** Fills Xb [n,T] and Yb [n] with examples drawn at random, with replacement. */
export function drawBatch(Xb: Int32Array, Yb: Int32Array, examples: Examples, random: RandomStream, n: number, T: number): void {
  for (let i = 0; i < n; i++) {
    copyExample(Xb, Yb, i, examples, randomInteger(random, examples.count), T);
  }
}
