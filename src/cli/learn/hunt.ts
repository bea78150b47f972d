import { wholeNumber } from '../../core/kinds.js';
import type { OptionRow } from '../../core/optionRow.js';
import { showShape } from '../../core/tensor.js';
import { showText } from '../../core/text.js';
import { FULL_SCORE, Hunt, isGradientName, PROBE_COST, type Probe, WRONG_COST } from '../../dojo/hunt.js';
import { GRADIENT_NAMES } from '../../lesson/exercise1.js';
import { MAX_SEED } from '../../training/options.js';
import { type CommandContext, defineCommand } from '../command.js';
import { paintFor } from '../terminal/colors.js';
import { EXIT_NO } from '../terminal/exitCodes.js';
import { formatCountOf, wrapText } from '../terminal/format.js';
import { commandName, type Output } from '../terminal/io.js';
import { showWorst } from './exerciseReport.js';

const OPTIONS = [
  {
    key: 'seed',
    flag: '--seed <number>',
    description: 'seed of the mistake',
    defaultText: 'a new one each time',
    kind: wholeNumber(0, MAX_SEED),
  },
] as const satisfies readonly OptionRow[];

export const hunt = defineCommand({
  description: 'Find the one wrong line in a backward pass, with as few probes as you can.',
  options: OPTIONS,
  examples: [
    ['backprop-ninja hunt', 'a mistake you have not seen'],
    ['backprop-ninja hunt --seed 7', 'a mistake that others can hunt too'],
  ],
  run: async (context) => ((await play(context)) ? 0 : EXIT_NO),
});

const COMMANDS = ['probe', 'guess', 'list', 'help', 'quit'] as const;

const HELP = `  probe dh      compare the pass's dh with the right one
  guess dh      say that the mistake is in the line of dh
  list          list the 26 gradients in backward order
  quit          give up and see the mistake`;

/** Default seeds are below this: short enough to tell a friend. */
const SEEDS = 10_000;

/** @returns whether the player found the line */
async function play({ io, json, color, options, printJson }: CommandContext<(typeof OPTIONS)[number]>): Promise<boolean> {
  const seed = options.seed ?? io.date().getTime() % SEEDS;
  const hunt = new Hunt(seed);
  const out = json ? io.stderr : io.stdout;
  const paint = await paintFor(out, io.env, color);
  out.write(
    `${wrapText(
      `Hunt ${seed}: a backward pass of ${GRADIENT_NAMES.length} lines, on a batch of 32. One line is wrong, and so is every gradient computed ` +
        `from it. You have ${FULL_SCORE} points. A probe costs ${PROBE_COST}, a wrong answer ${WRONG_COST}.`,
      out.columns,
    ).join('\n')}\n\n${HELP}\n\n`,
  );
  for await (const line of io.readLines('hunt> ', [...COMMANDS, ...GRADIENT_NAMES])) {
    if (answer(line.trim(), hunt, out, paint.bold) === 'end') break;
  }
  const { line, name, mistake } = hunt.reveal();
  const { found, named, score, probes, guesses } = hunt;
  if (!named) out.write(`It was ${line}: ${mistake}.\n`);
  if (found) out.write(`${paint.green(`Score: ${score} of ${FULL_SCORE}`)}, with ${formatCountOf(probes.length, 'probe')}.\n`);
  out.write(
    `Give a friend the same hunt: ${commandName(io)} hunt --seed ${seed}\nSee what the mistake does to training: ${commandName(io)} train --mutant ${name}\n`,
  );
  if (json) printJson({ seed, found, named, line, mutant: name, mistake, probes, guesses, score: found ? score : 0 });
  return found;
}

/** Answers one line of input. */
function answer(text: string, hunt: Hunt, out: Output, bold: (text: string) => string): 'on' | 'end' {
  if (text === '') return 'on';
  if (/^(q|quit|exit)$/.test(text)) return 'end';
  if (hunt.found) return choose(text, hunt, out);
  const [command, name = ''] = text.split(/\s+/);
  if (command === 'list') out.write(`${wrapNames(out.columns).join('\n')}\n`);
  else if (command !== 'probe' && command !== 'guess')
    out.write(`${command === 'help' ? '' : `unknown command '${showText(command)}'\n`}${HELP}\n`);
  else if (!isGradientName(name))
    out.write(`${name === '' ? 'which gradient?' : `unknown gradient '${showText(name)}':`} 'list' shows all\n`);
  else if (command === 'probe') out.write(`${probeLine(hunt.probe(name))}; ${hunt.score} points\n`);
  else if (hunt.guess(name)) out.write(`${bold(`Yes, it is ${name}.`)} What is wrong with it?\n${choiceLines(hunt).join('\n')}\n`);
  else out.write(`No, the line of ${name} is right. You have ${hunt.score} points left.\n`);
  return 'on';
}

function choose(text: string, hunt: Hunt, out: Output): 'on' | 'end' {
  const number = /^\d+$/.test(text) ? Number(text) : 0;
  const { choices } = hunt;
  if (number < 1 || number > choices.length) {
    out.write(`Type a number from 1 to ${choices.length}:\n${choiceLines(hunt).join('\n')}\n`);
    return 'on';
  }
  if (hunt.choose(number - 1)) {
    out.write('Right.\n');
    return 'end';
  }
  out.write(`No. You have ${hunt.score} points left.\n`);
  return 'on';
}

function choiceLines({ choices }: Hunt): string[] {
  return choices.map((mistake, i) => `  ${i + 1}  ${mistake}`);
}

function probeLine({ name, shape, agrees, worst }: Probe): string {
  const result = agrees ? 'agrees' : worst ? showWorst(worst) : 'wrong shape';
  return `${agrees ? '✓' : '✗'}  ${name} ${showShape(shape)}  ${result}`;
}

/** The names of the gradients, in lines that fit the width. */
function wrapNames(columns: number): string[] {
  const lines: string[] = [];
  for (const name of GRADIENT_NAMES) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + name.length + 2 < columns) lines[lines.length - 1] = `${last}  ${name}`;
    else lines.push(`  ${name}`);
  }
  return lines;
}
