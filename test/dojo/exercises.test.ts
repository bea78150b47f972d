import { readFileSync } from 'node:fs';
import { createJiti } from 'jiti';
import { describe, expect, it } from 'vitest';
import { LineChecker } from '../../src/dojo/check.js';
import { EXERCISE_NUMBERS, EXERCISES, type Exercise, exerciseFile, lessonShape, shapeText } from '../../src/dojo/exercises.js';
import { TodoError, todo } from '../../src/dojo/learnerFile.js';
import { solutionOf, solutionText, stubText } from '../../src/dojo/stub.js';
import { GRADIENT_NAMES } from '../../src/lesson/exercise1.js';
import { consumersOf, VALUE_NAMES, valueNamed } from '../../src/lesson/values.js';
import { put, tempDirectory } from '../support/tempDirectory.js';

const ALL = EXERCISE_NUMBERS.map((number) => ({ number, exercise: EXERCISES[number] }));
const LINES = ALL.flatMap(({ number, exercise }) => exercise.lines.map((line) => ({ number, name: line.name, line, exercise })));

const lesson = (file: string): string => readFileSync(new URL(`../../src/lesson/${file}`, import.meta.url), 'utf8');
/** The text with line breaks as spaces, and without those of a call chain. */
const flat = (text: string): string => text.replace(/\s+/g, ' ').replace(/ ?([().,{}]) ?/g, '$1');

/** The comments and the code that a file has for each gradient. */
function entriesOf(text: string): { comments: string[]; name: string; code: string }[] {
  const body = text.slice(text.indexOf(' = {\n') + ' = {\n'.length, text.indexOf('\n};'));
  return body.split('\n\n').map((entry) => {
    const comments = entry.split('\n').filter((line) => line.startsWith('  // '));
    const code = entry.split('\n').slice(comments.length).join('\n');
    return { comments: comments.map((line) => line.slice('  // '.length)), name: code.trim().split(':')[0], code };
  });
}

/** The values that a file imports from the library. */
function importsOf(text: string): string[] {
  const [, names] = /^import \{ (.*) \} from 'backprop-ninja';$/m.exec(text) ?? [];
  return names.split(', ').filter((name) => !name.startsWith('type '));
}

describe('the four exercises', () => {
  it('have 26, 1, 1 and 13 lines, in backward order', () => {
    expect(ALL.map(({ exercise }) => exercise.lines.length)).toEqual([26, 1, 1, 13]);
    expect(EXERCISES[1].lines.map(({ name }) => name)).toEqual(GRADIENT_NAMES);
    for (const { exercise } of ALL) {
      const places = exercise.lines.map(({ name }) => GRADIENT_NAMES.indexOf(name));
      expect(places).toEqual([...places].sort((a, b) => a - b));
    }
  });

  it('use the closed forms in Exercise 4, and the atomic lines for the rest', () => {
    const knownAs = new Map(
      [...EXERCISES[1].lines, ...EXERCISES[2].lines, ...EXERCISES[3].lines].map((line) => [line.name, line.knowledge]),
    );
    for (const { name, knowledge } of EXERCISES[4].lines) expect([name, knowledge]).toEqual([name, knownAs.get(name)]);
    const named = (name: string) => EXERCISES[4].lines.find((line) => line.name === name);
    expect(named('dlogits')?.solution).toBe(EXERCISES[2].lines[0].solution);
    expect(named('dhprebn')?.solution).toBe(EXERCISES[3].lines[0].solution);
  });

  it.each(ALL)('give Exercise $number its number and its file', ({ number, exercise }) => {
    expect(exercise.number).toBe(number);
    expect(exerciseFile(number)).toBe(`exercise${number}.ts`);
    expect(exercise.title).not.toBe('');
    expect(exercise.task.join(' ')).toMatch(/\.$/);
  });
});

describe('the entry of a line', () => {
  it.each(LINES)('has the forward lines that read its value: Exercise $number, $name', ({ number, name, line }) => {
    const value = valueNamed(name);
    expect(VALUE_NAMES).toContain(value);
    expect(line.forward.length).toBeGreaterThan(0);
    const reads = new RegExp(`= .*\\b${value}\\b`);
    for (const text of line.forward) expect(text).toMatch(reads);
    if (number === 1) expect(line.forward.map((text) => text.split(' ')[0])).toEqual(consumersOf(value));
  });

  it.each(LINES)('has a formula that begins with its name: Exercise $number, $name', ({ name, line }) => {
    expect(line.knowledge.formula.startsWith(name === 'dC' ? 'dC[' : `${name} = `)).toBe(true);
  });

  it('has the shape of its tensor, in letters and in numbers', () => {
    const { lines } = EXERCISES[1];
    const checker = new LineChecker();
    const sizes: Record<string, number> = { n: 32, T: 3, E: 10, H: 64, V: 27, T·E: 30, 1: 1 };
    for (const line of lines) {
      const letters = shapeText(valueNamed(line.name)).slice(1, -1).split(',');
      const shape = letters.map((letter) => sizes[letter]);
      expect([line.name, shape]).toEqual([line.name, checker.check(line, undefined).shape]);
      expect([line.name, shape]).toEqual([line.name, lessonShape(valueNamed(line.name))]);
    }
  });
});

describe.each(ALL)('the stub of Exercise $number', ({ number, exercise }) => {
  const text = stubText(exercise);

  it('has one todo() per gradient, each under its forward lines and its shape', () => {
    const entries = entriesOf(text);
    expect(text.match(/=> todo\(\),/g)).toHaveLength(exercise.lines.length);
    expect(entries.map(({ name }) => name)).toEqual(exercise.lines.map(({ name }) => name));
    for (const [i, { comments, code }] of entries.entries()) {
      const { name, forward } = exercise.lines[i];
      expect(comments).toEqual([...forward, `${name} ${shapeText(valueNamed(name))}`]);
      expect(code).toMatch(/^ {2}\w+: \(\{ \w+(, \w+)* \}\) => todo\(\),$/);
    }
  });

  it('has the task and the commands at its head', () => {
    const head = text.slice(0, text.indexOf('*/'));
    expect(head).toContain(`Exercise ${number}: ${exercise.title}.`);
    for (const line of exercise.task) expect(head).toContain(` * ${line}\n`);
    expect(head).toContain(`exercise check ${number}`);
    expect(head).toContain(`exercise hint ${number}`);
    expect(text).toContain(`export default exercise${number};`);
    expect(text).toContain(`const exercise${number}: Exercise${number} = {`);
  });

  it('imports its type, Tensor and todo, and softmax if a solution needs it', () => {
    expect(importsOf(text)).toEqual([...([2, 4].includes(number) ? ['softmax'] : []), 'Tensor', 'todo']);
    expect(text).toContain(`import { type Exercise${number}, `);
  });

  it('has a head of at most 100 columns, and a folder in its commands where they need it', () => {
    for (const one of [text, solutionText(exercise)]) {
      expect(
        one
          .slice(0, one.indexOf('*/'))
          .split('\n')
          .filter((line) => line.length > 100),
      ).toEqual([]);
    }
    expect(text).not.toContain('--dir');
    const elsewhere = stubText(exercise, ' --dir fresh');
    for (const verb of ['check', 'hint']) expect(elsewhere).toContain(`exercise ${verb} ${number} --dir fresh\n`);
    // The name of this folder would end the comment.
    expect(stubText(exercise, " --dir 'a*/b'")).toBe(text);
  });

  it('says that Xb and Yb are no tensors, if its lines take them', () => {
    expect(text.includes('Xb [n,T] and Yb [n] are lists of indices, not tensors: Yb.data[i] is the\n')).toBe(number !== 3);
  });

  it('does not give a solution away', () => {
    for (const { name } of exercise.lines) {
      const { code = '' } = entriesOf(text).find((entry) => entry.name === name) ?? {};
      expect(code).not.toMatch(/\.(mul|sum|add|matmul|div|neg|view|pow|sub)\(/);
    }
    expect(text).not.toContain(exercise.lines[0].knowledge.formula);
  });

  it('fits a terminal of 80 columns', () => {
    expect(text.split('\n').filter((line) => [...line].length > 80)).toEqual([]);
  });

  it('has no tabs, no trailing spaces, and one newline at its end', () => {
    expect(text.split('\n').filter((line) => /\t| $/.test(line))).toEqual([]);
    expect(text.endsWith(';\n')).toBe(true);
  });
});

describe.each(ALL)('the file of Exercise $number, solved', ({ number, exercise }) => {
  const text = solutionText(exercise);

  it('has no todo, and the comments and parameters of the stub', () => {
    expect(text).not.toContain('todo');
    expect(importsOf(text)).not.toContain('todo');
    const [solved, stub] = [entriesOf(text), entriesOf(stubText(exercise))];
    expect(solved.map(({ comments }) => comments)).toEqual(stub.map(({ comments }) => comments));
    for (const [i, { code }] of solved.entries()) expect(code.startsWith(stub[i].code.replace(' todo(),', ''))).toBe(true);
  });

  it("has the lesson's own code for every line", () => {
    for (const line of exercise.lines) {
      const { code = '' } = entriesOf(text).find(({ name }) => name === line.name) ?? {};
      const body = code.slice(code.indexOf('=>') + '=>'.length).replace(/,$/, '');
      expect(body.trim().length).toBeGreaterThan(10);
      expect(flat(lesson(`${line.source}.ts`))).toContain(flat(body));
      expect(`  ${solutionOf(line)},`).toBe(code);
    }
  });

  it('imports the values that it uses, and nothing else', () => {
    const code = entriesOf(text)
      .map((entry) => entry.code)
      .join('\n');
    const used = ['softmax', 'Tensor', 'todo'].filter((name) => new RegExp(`\\b${name}[.(]`).test(code));
    expect(importsOf(text)).toEqual(used);
  });

  it('is right in every line, when it is loaded as a file', async () => {
    const cwd = tempDirectory();
    put(cwd, exerciseFile(number), text);
    // This tests the code, not how the library is found.
    const alias = { 'backprop-ninja': new URL('../../src/dojo.ts', import.meta.url).pathname };
    const jiti = createJiti(import.meta.url, { fsCache: false, alias });
    const lines = await jiti.import<Record<string, unknown>>(`${cwd}/${exerciseFile(number)}`, { default: true });
    expect(Object.keys(lines)).toEqual(exercise.lines.map(({ name }) => name));
    const checker = new LineChecker();
    const verdicts = exercise.lines.map((line) => [line.name, checker.check(line, lines[line.name]).verdict]);
    expect(verdicts.filter(([, verdict]) => verdict !== 'right')).toEqual([]);
  });
});

describe('todo()', () => {
  it('throws an error with its own name', () => {
    expect(() => todo()).toThrow(TodoError);
    expect(() => todo()).toThrow('not written yet');
  });
});

describe('a line that the lesson does not have', () => {
  it('is an error that names the file', () => {
    const [line] = EXERCISES[2].lines;
    const broken: Exercise = { ...EXERCISES[2], lines: [{ ...line, source: 'exercise3' }] };
    expect(() => solutionText(broken)).toThrow('exercise3.ts has no line for dlogits');
    expect(() => stubText(broken)).toThrow('exercise3.ts has no line for dlogits');
  });
});
