import { describe, expect, it } from 'vitest';
import { Tensor } from '../../src/core/tensor.js';
import { EXERCISE_NUMBERS, EXERCISES, exerciseFile } from '../../src/dojo/exercises.js';
import { guideText } from '../../src/dojo/guide.js';
import { solutionText } from '../../src/dojo/stub.js';
import { STEP_NAMES } from '../../src/lesson/values.js';
import { LESSON_PARAMETER_NAMES } from '../../src/network/parameters.js';

const GUIDE = guideText();

const section = (title: string): string => GUIDE.split('\n## ').find((text) => text.startsWith(title)) ?? '';

describe("the guide in a learner's folder", () => {
  it('lists the four files and all commands', () => {
    for (const number of EXERCISE_NUMBERS) expect(GUIDE).toContain(`| ${exerciseFile(number)} |`);
    for (const command of ['check', 'watch', 'hint', 'status', 'reset', 'solution']) {
      expect(GUIDE).toContain(`npx backprop-ninja exercise ${command}`);
    }
  });

  it('has every step of the forward pass', () => {
    for (const name of STEP_NAMES) expect(section('The network')).toMatch(new RegExp(`\\b${name} = `));
  });

  it('explains each column', () => {
    for (const column of ['exact', 'close', 'max diff', 'ULPs']) expect(section('A row')).toContain(`| ${column} |`);
  });

  it('has no method that a tensor does not have', () => {
    const text = `${section('Tensors')}\n${section('A line')}`;
    const own = [...text.matchAll(/(?<!\w)(?:a|each|dy)\.(\w+)/g)].map(([_, name]) => name);
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

  it('explains the network, with the shapes and sizes of its input', () => {
    expect(section('The network')).toContain('predicts the next character of a name');
    for (const [size, value] of Object.entries({ n: 32, T: 3, E: 10, H: 64, V: 27 })) {
      expect(section('The network')).toContain(`| ${size} | ${value} |`);
    }
    for (const name of [...LESSON_PARAMETER_NAMES, 'Xb', 'Yb'])
      expect(section('The network')).toMatch(new RegExp(`^\\| .*\\b${name}\\b`, 'm'));
  });

  it('says that Xb and Yb are lists of indices', () => {
    expect(section('The network')).toContain('Xb and Yb are lists of indices, not tensors: they have only `data` and `shape`.');
  });

  it('has every method that a solution uses', () => {
    const solutions = EXERCISE_NUMBERS.map((number) => solutionText(EXERCISES[number])).join('\n');
    const code = solutions.replace(/^ *(\*|\/\/).*$/gm, '');
    const verbs = [...code.matchAll(/\.(\w+)\(/g)].map(([, verb]) => verb);
    expect(verbs.length).toBeGreaterThan(30);
    for (const verb of new Set([...verbs, 'indices', 'data', 'shape']))
      expect(section('Tensors'), verb).toMatch(new RegExp(`\\.${verb}\\b`));
    expect(section('Tensors')).toContain('softmax(logits)');
  });

  it('has the folder in its commands where they need it', () => {
    const commands = guideText(' --dir fresh').match(/^ {4}npx .*$/gm) ?? [];
    expect(commands.length).toBeGreaterThan(5);
    for (const command of commands) expect(command).toMatch(/ --dir fresh$/);
    expect(GUIDE).not.toContain('--dir');
  });

  it('has lines of at most 80 characters', () => {
    expect(GUIDE.split('\n').filter((line) => [...line].length > 80)).toEqual([]);
  });
});
