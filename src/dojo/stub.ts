/** The TypeScript files of a learner's folder: each exercise as a stub, and solved. */
import { type GradientName, valueNamed } from '../lesson/values.js';
import { type Exercise, type ExerciseLine, shapeText } from './exercises.js';
import { type LineText, SOLUTION_TEXTS } from './texts.js';

/**
 * The file of an exercise before it is solved: the forward lines, and a function with a todo() for each gradient.
 * @param option an option that each command needs, with a leading space; empty in the default folder
 */
export function stubText(exercise: Exercise, option = ''): string {
  return fileText(exercise, toDoOf(exercise, option), lineStub);
}

/** A line before it is written: ({ h, dlogits }) => todo(). */
export function lineStub(line: ExerciseLine): string {
  return `${textOf(line).parameters} => todo()`;
}

/** What a learner has written of an exercise. */
export interface LearnerLines {
  /** The code of each line that is written: a function, after comments or not. */
  lines: Partial<Record<GradientName, string>>;
  /** Code above the lines, such as functions that several of them call. */
  top?: string;
}

/** The file of an exercise with a learner's lines. The others are stubs. */
export function learnerText(exercise: Exercise, { lines, top = '' }: LearnerLines): string {
  return fileText(exercise, toDoOf(exercise, ''), (line) => asEntry(lines[line.name] ?? lineStub(line)), top.trim());
}

/** Code as it is written between the name of a line and the comma after it. */
function asEntry(code: string): string {
  const indented = code.includes('`') ? code : code.replaceAll(/\n(?!\n)/g, '\n  ');
  // A comment at its end would hide the comma.
  return /\/\/[^\n]*$/.test(indented) ? `${indented}\n  ` : indented;
}

function toDoOf({ number }: Exercise, option: string): string[] {
  return [
    'Replace each todo(). The names between the braces are the input of a line:',
    'add other values where you need them. README.md in this folder has the',
    'network, an example, and the methods of a tensor.',
    '',
    // An option that would end the comment is left out: inside the folder the command works without it.
    ...['check', 'hint'].map((verb) => `  npx backprop-ninja exercise ${verb} ${number}${option.includes('*/') ? '' : option}`),
  ];
}

/** The file of an exercise with the lesson's solution of every line. */
export function solutionText(exercise: Exercise): string {
  return fileText(exercise, ["The lesson's solution."], (line) => {
    const { parameters, body } = textOf(line);
    return `${parameters} =>${body}`;
  });
}

/** The lesson's solution of one line. */
export function solutionOf(line: ExerciseLine): string {
  const { parameters, body } = textOf(line);
  return `${line.name}: ${parameters} =>${body}`;
}

function fileText(exercise: Exercise, toDo: readonly string[], code: (line: ExerciseLine) => string, top = ''): string {
  const { number, lines } = exercise;
  const codes = lines.map(code);
  const body = lines
    .map((line, i) =>
      [
        ...line.forward.map((text) => `  // ${text}`),
        `  // ${line.name} ${shapeText(valueNamed(line.name))}`,
        entryText(line.name, codes[i]),
      ].join('\n'),
    )
    .join('\n\n');
  const names = (name: string) => [top, ...codes].some((one) => new RegExp(`\\b${name}\\b`).test(one));
  const open = names('todo');
  // A line that is not written yet may need what its solution needs.
  const mayNeed = (name: string) => names(name) || (open && lines.some((line) => textOf(line).body.includes(`${name}(`)));
  const imports = [mayNeed('softmax') ? ['softmax'] : [], open || names('Tensor') ? ['Tensor'] : [], open ? ['todo'] : []].flat();
  return `${[
    ...headOf(exercise, toDo),
    `import { ${[`type Exercise${number}`, ...imports].join(', ')} } from 'backprop-ninja';`,
    '',
    ...(top === '' ? [] : [top, '']),
    `const exercise${number}: Exercise${number} = {`,
    body,
    '};',
    '',
    `export default exercise${number};`,
  ].join('\n')}\n`;
}

/** A line with its name; comments at the beginning of its code are above it. */
function entryText(name: string, code: string): string {
  const [, comments = '', rest = ''] = /^((?:\/\/[^\n]*\n\s*)*)([\s\S]*)$/.exec(code) ?? [];
  return `  ${comments}${name}: ${rest},`;
}

const INDEX_LISTS = [
  'Xb [n,T] and Yb [n] are lists of indices, not tensors: Yb.data[i] is the',
  'target of example i, and Xb.data[i * T + t] is character t of its context.',
];

function headOf({ number, title, task, lines }: Exercise, toDo: readonly string[]): string[] {
  const text = [
    `Exercise ${number}: ${title}.`,
    '',
    ...task,
    '',
    'Each gradient is a function of the forward values and of the gradients above',
    'it, and has the shape of its tensor. Shapes: n batch, T context, E embedding,',
    'H hidden, V vocabulary.',
    ...(lines.some((line) => /\b[XY]b\b/.test(textOf(line).parameters)) ? INDEX_LISTS : []),
    '',
    ...toDo,
  ];
  return ['/**', ...text.map((line) => ` * ${line}`.trimEnd()), ' */'];
}

/** @throws Error if the lesson's file has no such line */
function textOf({ name, source }: ExerciseLine): LineText {
  const text = SOLUTION_TEXTS[source][name];
  if (!text) throw new Error(`${source}.ts has no line for ${name}`);
  return text;
}
