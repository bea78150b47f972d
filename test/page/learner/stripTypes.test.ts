import { createJiti } from 'jiti';
import { describe, expect, it } from 'vitest';
import { Tensor } from '../../../src/core/tensor.js';
import { EXERCISE_NUMBERS, EXERCISES } from '../../../src/dojo/exercises.js';
import { solutionOf } from '../../../src/dojo/stub.js';
import { softmax } from '../../../src/lesson/softmax.js';
import { codeOf } from '../../../src/page/learner/lineCode.js';
import { stripTypes } from '../../../src/page/learner/stripTypes.js';

const jiti = createJiti(import.meta.url, { fsCache: false });

/** The value of an expression of JavaScript. */
function evaluate(code: string): unknown {
  return new Function('Tensor', 'softmax', `'use strict'; return (${code}\n);`)(Tensor, softmax);
}

/** The value of an expression of TypeScript, by the transpiler that the command line uses. */
function transpiled(text: string): unknown {
  const exports = {};
  const code = jiti.transform({ source: `export default (${text}\n);`, ts: true, filename: 'line.ts' });
  new Function('exports', 'Tensor', 'softmax', code)(exports, Tensor, softmax);
  return (exports as { default: unknown }).default;
}

const LINES = [
  '(x) => x.mul(2)',
  '(x: Tensor): Tensor => x.mul(2)',
  '(x: Tensor, more?: number): Tensor => x.mul(more ?? 2)',
  '(x) => (x as Tensor).mul(2)',
  '(x) => (x as unknown as Tensor).mul(2 as number)',
  '(x) => x!.mul(2)!',
  '(x) => (x satisfies Tensor).neg()',
  '(x) => { const y: Tensor = x.neg(); return y; }',
  '(x) => { let y!: Tensor; y = x.neg(); return y; }',
  '<T extends Tensor>(x: T): T => x',
  'function (this: void, x: Tensor): Tensor { return x.neg(); }',
  'function named<T extends Tensor>(x: T) { return x.neg(); }',
  '(x) => { interface Pair { a: Tensor; b: Tensor } const p: Pair = { a: x, b: x }; return p.a.add(p.b); }',
  '(x) => { type Both = { a: Tensor }; const { a }: Both = { a: x }; return a; }',
  '(x) => { const list: Tensor[] = [x, x]; return list.reduce((a: Tensor, b: Tensor): Tensor => a.add(b)); }',
  '(x) => { const map = new Map<string, Tensor>([["x", x]]); return map.get("x")!.neg(); }',
  '(x) => { for (const i of x.shape as number[]) if (i < 2 || i > 3) return x; return x.neg(); }',
  '(x) => { try { return x.neg(); } catch (error: unknown) { throw error; } }',
  '(x) => { const twice = <A,>(a: A): A[] => [a, a]; return twice(x)[1]; }',
  '(x) => { const y = x as Tensor\n[x].forEach((one) => one)\nreturn y }',
  '(x) => { const text = "a: Tensor as b"; return x.mul(text.length); }',
  // biome-ignore lint/suspicious/noTemplateCurlyInString: a learner's template
  '(x) => { const text = `${(x as Tensor).size as number}: number`; return x.mul(text.length); }',
  '(x) => x.shape[0] === 2 ? x : x.neg()',
  '(x) => { label: for (;;) { break label; } return x; }',
  '(x) => ({ x: x.neg() as Tensor }).x',
  '(x) => { class A<T> { readonly y: T; private z?: number; constructor(y: T) { this.y = y; } get(): T { return this.y; } } return new A<Tensor>(x).get(); }',
  '(x) => { // x: number\n  /* as Tensor */ return x.neg(); }',
  '(x) => { let size = 0; if (size < x.size && x.size > (0)) size = 1; return x.mul(size); }',
  '(x): {\n  shape: readonly number[];\n} => x.neg()',
  '(x) => { const [a, b]: [Tensor, number] = [x, 2]; return a.mul(b); }',
  '(x) => { const f: (a: Tensor) => Tensor = (a) => a.neg(); return f(x); }',
  '(x) => { enumerate(); function enumerate(): void {} return x as any; }',
  '(x) => { function over(a: number): number; function over(a: Tensor): Tensor; function over(a: any) { return a; } return over(x); }',
  '(x) => x.mul(/a: b/.test("a: b") ? 3 : 2)',
  '(x) => x?.neg?.() ?? x',
];

describe('a line without its types', () => {
  const x = Tensor.of([1, -2, 3, 4, 5, 6], [2, 3], 'float64');

  it.each(LINES)('gives what the transpiler of the command line makes of it: %s', (line) => {
    const { code, fault } = stripTypes(line);
    expect(fault).toBeUndefined();
    const [ours, theirs] = [evaluate(code), transpiled(line)] as ((x: Tensor) => Tensor)[];
    const [found, expected] = [ours(x), theirs(x)];
    expect({ shape: found.shape, data: [...found.data] }).toEqual({ shape: expected.shape, data: [...expected.data] });
  });

  it.each(LINES)('keeps the place of every character: %s', (line) => {
    const { code } = stripTypes(line);
    expect(code).toHaveLength(line.length);
    for (const [i, character] of [...code].entries()) if (!' ;'.includes(character)) expect(character).toBe(line[i]);
  });

  it('is the line itself where it has no types and no comments', () => {
    for (const number of EXERCISE_NUMBERS) {
      for (const line of EXERCISES[number].lines) {
        const text = solutionOf(line).slice(`${line.name}: `.length);
        expect(stripTypes(text)).toEqual({ code: text, isOpen: false });
      }
    }
  });
});

describe('a line that cannot be read', () => {
  it.each([
    ['({ a, b }) => a.mul(b', 'this ( is not closed', '(b'],
    ['({ a, b }) => a.mul(b))', 'this ) closes nothing', ')'],
    ['({ a, b ) => a', 'this { is not closed before the )', '{'],
    ['({ a }) => { return a.mul(2;', 'this ( is not closed', '(2'],
    ['({ a }) => a b', 'b is not expected here', 'b'],
    ['({ a }) => a.', 'something is missing at the end', '.'],
    ['({ a }) =>', 'something is missing at the end', '>'],
    ['({ a }) => a.mul("x)', 'this text has no end', '"'],
    ['({ a }) => [a[0]', 'this [ is not closed', '['],
  ])('is said why, and where: %s', (text, message, at) => {
    const { fault } = stripTypes(text);
    expect(fault?.message).toBe(message);
    expect(text.slice(fault?.from)).toMatch(new RegExp(`^${at.replace(/[()[\]{.]/g, '\\$&')}`));
  });
});

describe('code that would not end where it is put', () => {
  it.each(['0)}}, f(1); ((a) => { return { x: (0', ')', '(x) => (x', '`${x', '(x) => x /* a', '0 <!--y\n)}}', 'a\n/re)/.test(x)/1)'])(
    'is known: %s',
    (text) => {
      expect(stripTypes(text).isOpen).toBe(true);
    },
  );

  it.each(['(x) => x', '// (', '"("', '(x) => /[(]/.test(x)', '(x) => x +', '(x) => `)`'])('is not %s', (text) => {
    expect(stripTypes(text).isOpen).toBe(false);
  });
});

describe('a line that is pasted from a file', () => {
  it.each([
    ['dh: ({ W2 }) => W2,', '    ({ W2 }) => W2 '],
    ['"dh": ({ W2 }) => W2;', '      ({ W2 }) => W2 '],
    ['// mine\ndh : (x) => x, // end', '// mine\n     (x) => x  // end'],
    ['(x) => x', '(x) => x'],
    ['(x) => { dh: for (;;) {} }', '(x) => { dh: for (;;) {} }'],
    ['dW2: (x) => x', 'dW2: (x) => x'],
    ['dh({ W2 }) { return W2; },', 'function({ W2 }) { return W2; } '],
    ['async dh(x) { return x; }', 'async function(x) { return x; }'],
    ['dh(x)', 'dh(x)'],
  ])('is read without its name and comma: %s', (text, code) => {
    expect(codeOf('dh', text)).toBe(code);
  });
});
