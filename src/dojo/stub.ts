/** The TypeScript files of a learner's folder: each exercise as a stub, and solved. */
import { valueNamed } from '../lesson/values.js';
import { type Exercise, type ExerciseLine, shapeText } from './exercises.js';
import { type LineText, SOLUTION_TEXTS } from './texts.js';

/**
 * The file of an exercise before it is solved: the forward lines, and a function with a todo() for each gradient.
 * @param option an option that each command needs, with a leading space; empty in the default folder
 */
export function stubText(exercise: Exercise, option = ''): string {
  const { number } = exercise;
  const toDo = [
    'Replace each todo(). The names between the braces are the input of a line:',
    'add other values where you need them. README.md in this folder has the',
    'network, an example, and the methods of a tensor.',
    '',
    // An option that would end the comment is left out: inside the folder the command works without it.
    ...['check', 'hint'].map((verb) => `  npx backprop-ninja exercise ${verb} ${number}${option.includes('*/') ? '' : option}`),
  ];
  return fileText(exercise, toDo, (line) => `${textOf(line).parameters} => todo()`);
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

function fileText(exercise: Exercise, toDo: readonly string[], code: (line: ExerciseLine) => string): string {
  const { number, lines } = exercise;
  const codes = lines.map(code);
  const body = lines
    .map((line, i) =>
      [
        ...line.forward.map((text) => `  // ${text}`),
        `  // ${line.name} ${shapeText(valueNamed(line.name))}`,
        `  ${line.name}: ${codes[i]},`,
      ].join('\n'),
    )
    .join('\n\n');
  const has = (text: string) => codes.some((one) => one.includes(text));
  const open = has('todo(');
  // A line that is not written yet may need what its solution needs.
  const mayNeed = (name: string) => has(name) || (open && lines.some((line) => textOf(line).body.includes(name)));
  const imports = [mayNeed('softmax(') ? ['softmax'] : [], open || has('Tensor.') ? ['Tensor'] : [], open ? ['todo'] : []].flat();
  return `${[
    ...headOf(exercise, toDo),
    `import { ${[`type Exercise${number}`, ...imports].join(', ')} } from 'backprop-ninja';`,
    '',
    `const exercise${number}: Exercise${number} = {`,
    body,
    '};',
    '',
    `export default exercise${number};`,
  ].join('\n')}\n`;
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
