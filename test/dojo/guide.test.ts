import { describe, expect, it } from 'vitest';
import { EXERCISE_NUMBERS, exerciseFile } from '../../src/dojo/exercises.js';
import { DOJO_GUIDE } from '../../src/dojo/guide.js';
import { STEP_NAMES } from '../../src/lesson/values.js';
import { Tensor } from '../../src/tensor.js';

const section = (title: string): string => DOJO_GUIDE.split('\n## ').find((text) => text.startsWith(title)) ?? '';

describe("the guide in a learner's folder", () => {
  it('names the four files, and how to check, watch, be helped and begin again', () => {
    for (const number of EXERCISE_NUMBERS) expect(DOJO_GUIDE).toContain(`| ${exerciseFile(number)} |`);
    for (const command of ['check', 'watch', 'hint', 'status', 'reset', 'solution']) {
      expect(DOJO_GUIDE).toContain(`npx backprop-ninja exercise ${command}`);
    }
  });

  it('has every step of the forward pass', () => {
    for (const name of STEP_NAMES) expect(section('The network')).toMatch(new RegExp(`\\b${name} = `));
  });

  it('says what each column means', () => {
    for (const column of ['exact', 'close', 'max diff', 'ULPs']) expect(section('A row')).toContain(`| ${column} |`);
  });

  it('names no method that a tensor does not have', () => {
    const text = `${section('Tensors')}\n${section('A line')}`;
    const own = [...text.matchAll(/\b(?:a|each|dy)\.(\w+)/g)].map(([_, name]) => name);
    const fixed = [...text.matchAll(/\bTensor\.(\w+)/g)].map(([_, name]) => name);
    expect(own.length).toBeGreaterThan(15);
    expect(fixed.length).toBeGreaterThan(3);
    const tensor = Tensor.of([1], [1, 1]);
    for (const name of own) expect([name, name in tensor]).toEqual([name, true]);
    for (const name of fixed) expect([name, typeof Tensor[name as 'of']]).toEqual([name, 'function']);
  });

  it('has an example that is right', () => {
    const lines = [...section('A line').matchAll(/^ {4}(d[aw]): (.*),$/gm)].map(([_, name, code]) => [name, code]);
    expect(lines.map(([name]) => name)).toEqual(['da', 'dw']);
    const [da, dw] = lines.map(([_, code]) => new Function(`return ${code}`)() as (at: Record<string, Tensor>) => Tensor);
    const at = { a: Tensor.of([1, 2, 3, 4], [2, 2]), w: Tensor.of([5, 6], [1, 2]), dy: Tensor.of([1, -1, 2, 0.5], [2, 2]) };
    expect(da(at)).toEqual(Tensor.of([5, -6, 10, 3], [2, 2]));
    expect(dw(at)).toEqual(Tensor.of([7, 0], [1, 2]));
  });

  it('fits a page of 150 characters', () => {
    expect(DOJO_GUIDE.split('\n').filter((line) => line.length > 150)).toEqual([]);
  });
});
