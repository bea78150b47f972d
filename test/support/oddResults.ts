/** Results that no line of the lesson returns. */
import { expect, it } from 'vitest';
import { Tensor } from '../../src/core/tensor.js';
import { LineJudge } from '../../src/dojo/check.js';
import { MAX_ENTRIES } from '../../src/dojo/outcome.js';
import { type GradientName, valueNamed } from '../../src/lesson/values.js';
import { lineOf } from './dojo.js';

const judge = new LineJudge();
const filled = (shape: readonly number[], value: (i: number) => number, dtype: 'float32' | 'float64' = 'float64') =>
  Tensor.of(
    Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => value(i)),
    shape,
    dtype,
  );

const VALUES: [string, (i: number) => number][] = [
  ['0', () => 0],
  ['-0', () => -0],
  ['the largest number', () => Number.MAX_VALUE],
  ['numbers too large for float32', (i) => (i % 2 === 0 ? 1e39 : -1e39)],
  ['numbers whose squares overflow', (i) => 1e200 * (i + 1)],
  ['the smallest number', () => Number.MIN_VALUE],
  ['one huge number among small ones', (i) => (i === 0 ? 1e300 : 1e-300)],
];

const SHAPES: readonly number[][] = [[], [0, 27], [2 ** 50, 0], [27, 32], new Array(64).fill(1)];

/** Tests that any result of this line gets a report. */
export function expectReports(exercise: 1 | 2 | 3, name: GradientName): void {
  const line = lineOf(exercise, name);
  const inputs = judge.inputsOf(line);

  it('with the right shape and odd entries', () => {
    for (const [what, value] of VALUES) {
      const outcomes = inputs.map((at) => ({ tensor: filled(at[valueNamed(name)].shape, value) }));
      const { verdict, figures } = judge.judge(line, { outcomes, text: '' });
      const isZero = ['0', '-0', 'the smallest number'].includes(what) && ['db1', 'dlogit_maxes'].includes(name);
      if (!isZero) expect([what, verdict]).toEqual([what, 'wrong']);
      expect(figures).toBeDefined();
    }
  });

  it('with odd shapes, the same on every batch or mixed', () => {
    for (const shape of SHAPES) {
      const odd = { tensor: filled(shape, (i) => (shape[0] === 27 ? Number.NaN : i + 1)) };
      expect(judge.judge(line, { outcomes: inputs.map(() => odd), text: '' }).verdict).not.toBe('right');
      const mixed = inputs.map((at, i) => (i % 2 === 0 ? { tensor: filled(at[valueNamed(name)].shape, () => 1) } : odd));
      expect(judge.judge(line, { outcomes: mixed, text: '' }).verdict).not.toBe('right');
    }
  });

  it('with the largest tensors that are judged, or with larger ones', () => {
    const large = { tensor: filled([512, MAX_ENTRIES / 512], (i) => i) };
    expect(judge.judge(line, { outcomes: inputs.map(() => large), text: '32 '.repeat(6_000) }).verdict).toBe('wrong');
    const outcomes = inputs.map((_, i) => (i < 3 ? large : { tooLarge: [2 ** 30, 2 ** 20] }));
    expect(judge.judge(line, { outcomes, text: '' }).verdict).not.toBe('right');
  });
}
