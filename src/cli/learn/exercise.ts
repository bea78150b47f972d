import { flag, text, wholeNumber } from '../../core/kinds.js';
import type { OptionRow } from '../../core/optionRow.js';
import { HINT_STEPS } from '../../dojo/hints.js';
import { MAX_SEED } from '../../training/options.js';
import { type CommandGroup, defineSubcommand } from '../command.js';
import { handOut, judgeAnswers } from './cases.js';
import { checkExercises, giveHint, resetExercise, showSolution, showStatus, startExercises } from './exerciseActions.js';
import { findLine } from './findLine.js';
import { exerciseNamed, placeOf } from './place.js';
import { checkPython, pythonPlace, watchPython } from './pythonFile.js';
import { startNotebook } from './startNotebook.js';
import { watchExercise } from './watch.js';

const DIR = {
  key: 'dir',
  flag: '--dir <dir>',
  description: 'your folder',
  defaultText: 'dojo, or the current one if it holds the exercises',
  kind: text,
} as const satisfies OptionRow;

const PYTHON = {
  key: 'python',
  flag: '--python <command>',
  description: 'the Python that runs a Python file',
  defaultText: '$PYTHON, python3 or python',
  kind: text,
} as const satisfies OptionRow;

const EXERCISE = '1 to 4, or its file';
const EXERCISE_OR_PYTHON = `${EXERCISE}, or a Python file with your lines`;

/** If a file is named, its folder wins over --dir. */
function folder(place: { dir?: string }, { dir }: { dir?: string }): { dir?: string } {
  const named = place.dir ?? dir;
  return named === undefined ? {} : { dir: named };
}

export const exercise: CommandGroup = {
  description: 'The dojo: write the backward pass yourself, and have it checked line by line.',
  examples: [
    ['backprop-ninja exercise start', 'write the exercise files into dojo/'],
    ['backprop-ninja exercise check 1', 'one row per gradient; a red row says what is wrong'],
    ['backprop-ninja exercise hint 1', 'a hint for the first line that is not right'],
    ['backprop-ninja exercise start --python', 'the same as a notebook for PyTorch'],
  ],
  commands: {
    start: defineSubcommand({
      description: 'write the files of the four exercises; existing files are kept',
      arguments: [{ name: '[dir]', description: 'your folder', default: 'dojo' }],
      options: [{ key: 'python', flag: '--python', description: 'write them for PyTorch: a notebook, and ninja.py', kind: flag }],
      run: (context, directory: string) => (context.options.python ? startNotebook : startExercises)(directory, context),
    }),
    check: defineSubcommand({
      description: 'check your lines one by one, and say what is wrong',
      arguments: [
        { name: '[exercise]', description: EXERCISE_OR_PYTHON, defaultText: 'all' },
        { name: '[gradient]', description: 'only that line, such as dprobs' },
        { name: '[file]', description: 'for a Python file: the file, after the exercise' },
      ],
      options: [DIR, PYTHON],
      run: (context, ...words: (string | undefined)[]) => {
        const place = placeOf(words, true);
        const file = pythonPlace(place, context.options);
        if (file) return checkPython(file, context);
        return checkExercises(place, folder(place, context.options), context);
      },
    }),
    watch: defineSubcommand({
      description: 'check at every save, with keys for hints and the next exercise',
      arguments: [
        { name: '[exercise]', description: EXERCISE_OR_PYTHON, defaultText: 'the first that is not done' },
        { name: '[file]', description: 'for a Python file: the file, after the exercise' },
      ],
      options: [DIR, PYTHON],
      run: async (context, ...words: (string | undefined)[]) => {
        const place = placeOf(words, true);
        const file = pythonPlace(place, context.options);
        if (file) return watchPython(file, context);
        const { number } = await findLine(place, folder(place, context.options), context);
        return watchExercise(number, folder(place, context.options), context);
      },
    }),
    cases: defineSubcommand({
      description: 'write what the lines of an exercise are given, for lines that run elsewhere, such as in Python',
      arguments: [{ name: '<exercise>', description: EXERCISE }],
      options: [
        { key: 'out', flag: '--out <dir>', description: 'a new or empty directory', kind: text, required: true },
        { key: 'seed', flag: '--seed <number>', description: 'seed of the cases', kind: wholeNumber(0, MAX_SEED), default: 0 },
        { key: 'force', flag: '--force', description: 'replace the cases and answers in it', kind: flag },
      ],
      run: (context, word: string) => handOut(exerciseNamed(word).number, context.options, context),
    }),
    judge: defineSubcommand({
      description: 'judge the answers to cases, line by line',
      arguments: [{ name: '<dir>', description: 'the directory of the cases, with the answers in it' }],
      options: [{ key: 'html', flag: '--html', description: 'print the report as HTML for a notebook', kind: flag }],
      run: (context, directory: string) => judgeAnswers(directory, context.options, context),
    }),
    status: defineSubcommand({
      description: 'show how many lines are right',
      options: [DIR],
      run: async (context) => {
        await showStatus(context.options, context);
      },
    }),
    hint: defineSubcommand({
      description: 'show the rule behind a gradient, in three steps',
      arguments: [
        { name: '[exercise]', description: EXERCISE, defaultText: 'the first that is not done' },
        { name: '[gradient]', description: 'for example dprobs', defaultText: 'the first that is not right' },
      ],
      options: [
        DIR,
        {
          key: 'step',
          flag: '--step <number>',
          description: '1 the kind of rule, 2 the rule for this line, 3 the formula',
          kind: wholeNumber(1, HINT_STEPS.length),
          default: 1,
        },
      ],
      run: (context, ...words: (string | undefined)[]) => {
        const place = placeOf(words);
        return giveHint(place, { step: context.options.step, ...folder(place, context.options) }, context);
      },
    }),
    solution: defineSubcommand({
      description: 'show the solution, once yours is right',
      arguments: [
        { name: '<exercise>', description: EXERCISE },
        { name: '[gradient]', description: 'only that gradient' },
      ],
      options: [DIR, { key: 'force', flag: '--force', description: 'show it before yours is right', kind: flag }],
      run: (context, ...words: (string | undefined)[]) => {
        const place = placeOf(words);
        return showSolution(place, { force: context.options.force ?? false, ...folder(place, context.options) }, context);
      },
    }),
    reset: defineSubcommand({
      description: 'start an exercise over; your file is kept under another name',
      arguments: [{ name: '<exercise>', description: EXERCISE }],
      options: [DIR],
      run: (context, word: string) => {
        const place = exerciseNamed(word);
        return resetExercise(place.number, folder(place, context.options), context);
      },
    }),
  },
};
