// The files of the exercises: what the page writes, the command line checks, and what anybody writes, the page reads.
import { describe, expect, it } from 'vitest';
import { EXERCISE_NUMBERS, EXERCISES, type ExerciseNumber, exerciseFile, shapeText } from '../../../src/dojo/exercises.js';
import { learnerText, lineStub, solutionOf, solutionText, stubText } from '../../../src/dojo/stub.js';
import { type GradientName, valueNamed } from '../../../src/lesson/values.js';
import { checkFile } from '../../../src/node/learner/run.js';
import { type Catalogue, readExerciseFile } from '../../../src/page/learner/lineFile.js';
import { put, tempDirectory } from '../../support/tempDirectory.js';

const CATALOGUE: Catalogue = EXERCISE_NUMBERS.map((number) => ({
  number,
  lines: EXERCISES[number].lines.map(({ name, forward }) => ({ name, forward, shape: shapeText(valueNamed(name)) })),
}));

const read = (name: string, text: string) => readExerciseFile(name, text, CATALOGUE);
const solved = (number: ExerciseNumber) =>
  Object.fromEntries(EXERCISES[number].lines.map((line) => [line.name, solutionOf(line).slice(`${line.name}: `.length)]));

async function checkText(number: ExerciseNumber, text: string) {
  const directory = tempDirectory();
  put(directory, exerciseFile(number), text);
  return checkFile(`${directory}/${exerciseFile(number)}`, number);
}

describe.each(EXERCISE_NUMBERS)('the file of Exercise %i', (number) => {
  const exercise = EXERCISES[number];

  it('is the fresh one where nothing is written', () => {
    expect(learnerText(exercise, { lines: {} })).toBe(stubText(exercise));
  });

  it('is right on the command line with solved lines', async () => {
    const report = await checkText(number, learnerText(exercise, { lines: solved(number) }));
    expect({ ok: report.ok, broken: report.broken }).toEqual({ ok: true });
  });

  it('comes back as it was taken out', () => {
    const lines = Object.fromEntries(
      exercise.lines.map((line, i) => [
        line.name,
        i % 3 === 0 ? `// my own\n// thought ${i}\n${solved(number)[line.name]}` : `(x) => {\n  // inside\n  return x;\n} // end ${i}`,
      ]),
    );
    const top = 'const half = 0.5;\nfunction twice(x: Tensor) {\n  return x.mul(2);\n}';
    const found = read(exerciseFile(number), learnerText(exercise, { lines, top }));
    expect(found).toMatchObject({ exercise: number, top, strays: [], notes: [] });
    // A comment behind a line is not part of it.
    const withoutEnd = (text: string) => text.replace(/ \/\/ end.*$/, '');
    expect([...found.lines]).toEqual(Object.entries(lines).map(([name, text]) => [name, withoutEnd(text)]));
  });

  it('of the command line is read, fresh and solved', () => {
    const fresh = read(exerciseFile(number), stubText(exercise));
    expect([...fresh.lines]).toEqual(exercise.lines.map((line) => [line.name, lineStub(line)]));
    const done = read(exerciseFile(number), solutionText(exercise));
    expect([...done.lines.keys()]).toEqual(exercise.lines.map(({ name }) => name));
    expect({ top: done.top, strays: done.strays, notes: done.notes }).toEqual({ top: '', strays: [], notes: [] });
  });
});

describe('a file that somebody wrote', () => {
  it.each<[what: string, name: string, text: string, found: Record<string, string>]>([
    ['without a type', 'exercise2.ts', 'export default { dlogits: ({ logits }) => logits };', { dlogits: '({ logits }) => logits' }],
    ['with a cast', 'exercise2.ts', 'export default { dlogits: (x) => x } satisfies Exercise2;', { dlogits: '(x) => x' }],
    ['with a const and a cast', 'mine.ts', 'const a = ({ dhprebn: (x) => x } as Exercise3);\nexport default a;', { dhprebn: '(x) => x' }],
    [
      'with a method',
      'exercise3.ts',
      'export default { dhprebn({ n }) {\n  return n;\n} };',
      { dhprebn: 'function ({ n }) {\n  return n;\n}' },
    ],
    [
      'with quotes and CRLF',
      'exercise2 (1).ts',
      '\uFEFFexport default {\r\n  "dlogits": (x) =>\r\n    x,\r\n};',
      { dlogits: '(x) =>\n  x' },
    ],
    ['in JavaScript', 'exercise2.js', 'export default { dlogits: function (x) { return x; } }', { dlogits: 'function (x) { return x; }' }],
    ['with a name alone', 'exercise2.ts', 'const dlogits = (x) => x;\nexport default { dlogits };', { dlogits: 'dlogits' }],
  ])('is read: %s', (_, name, text, found) => {
    expect(Object.fromEntries(read(name, text).lines)).toEqual(found);
  });

  it('keeps the code above its lines, without imports', () => {
    const text = "import { Tensor } from 'backprop-ninja';\n\nconst two = 2;\n\nexport default { dlogits: (x) => x.mul(two) };\n";
    expect(read('exercise2.ts', text).top).toBe('const two = 2;');
  });

  it('gets a note for what the page cannot take over', () => {
    const text =
      "import fs from 'node:fs';\nimport { Tensor as T } from 'backprop-ninja';\nexport default { ...rest, dlogits: (x) => x, dlogit: 1 };";
    const { notes, strays } = read('exercise2.ts', text);
    expect(strays).toEqual(['dlogit']);
    expect(notes).toEqual([
      '...rest is not taken over: it is not a function under a name',
      'exercise2.ts imports from node:fs, which the page cannot load',
      'Tensor is called T in exercise2.ts: in the page it is Tensor',
    ]);
  });

  it('says itself which exercise it is, whatever it is called', () => {
    const { exercise, notes } = read('exercise1.ts', 'const a: Exercise2 = { dlogits: (x) => x };\nexport default a;');
    expect(exercise).toBe(2);
    expect(notes).toEqual(['exercise1.ts says inside that it is Exercise 2: its lines are there now']);
  });

  it.each([
    ['dlogprobs.div(probs,', 'this ( is not closed'],
    ['{ return dlogprobs.div(probs);', 'this { is not closed'],
    ['dlogprobs.div(probs))', 'this ) closes nothing'],
    ['dlogprobs.div(probs) /* to do', 'this comment has no end'],
  ])('keeps the lines after one that does not end: %s', (body, fault) => {
    const lines = { ...solved(1), dprobs: `({ probs, dlogprobs }) => ${body}` };
    const found = read('exercise1.ts', learnerText(EXERCISES[1], { lines }));
    expect([...found.lines.keys()]).toEqual(EXERCISES[1].lines.map(({ name }) => name));
    expect(found.notes).toEqual([`dprobs in exercise1.ts cannot be read: ${fault}`]);
    expect(found.strays).toEqual([]);
    const others = [...found.lines].filter(([name]) => name !== 'dprobs');
    expect(Object.fromEntries(others)).toEqual(Object.fromEntries(Object.entries(solved(1)).filter(([name]) => name !== 'dprobs')));
    expect(found.lines.get('dprobs')).toMatch(/^\(\{ probs, dlogprobs \}\) =>/);
    expect(found.lines.get('dprobs')).not.toContain('\n');
  });

  it.each<[string, string, RegExp]>([
    ['notes.txt', 'anna\nemma\n', /^notes\.txt is not an exercise file: it has no `export default`$/],
    ['exercise1.ts', '', /no `export default`/],
    ['a.ts', 'export default 3;', /its default export is not an object with lines$/],
    ['a.ts', 'export default lines;', /its default export is not an object with lines$/],
    ['a.ts', 'export default { a: 1 };', /its default export has no line of one$/],
    ['exercise1.ts', 'export default { a: 1 };', /^exercise1\.ts has no line of Exercise 1$/],
    ['exercise1.ts', '\u0000\u0001PNG {{{{', /no `export default`/],
  ])('is refused in a sentence if it is not one of an exercise: %s %s', (name, text, message) => {
    expect(() => read(name, text)).toThrow(message);
  });
});

describe('code that would not fit between a name and a comma', () => {
  it.each<[string, string]>([
    ['a comment at its end', '(x) => x // done'],
    ['a comment at its beginning', '// first\n(x) => x'],
    ['a template of several lines', '(x) => { `a\nb`; return x; }'],
    ['a blank line', '(x) => {\n\n  return x;\n}'],
  ])('is written so that it can be read: %s', (_, code) => {
    const text = learnerText(EXERCISES[2], { lines: { dlogits: code } });
    expect(read('exercise2.ts', text).lines.get('dlogits' as GradientName)).toBe(code.replace(/ \/\/ done$/, ''));
  });
});
