import { wholeNumber } from '../../core/kinds.js';
import type { OptionRow } from '../../core/optionRow.js';
import { closest } from '../../core/spelling.js';
import { showShape } from '../../core/tensor.js';
import { quoteText } from '../../core/text.js';
import { Hunt, isGradientName, type Probe } from '../../dojo/hunt.js';
import { HUNT_SEEDS, HUNT_TEXTS, probeResult } from '../../dojo/huntTexts.js';
import { GRADIENT_NAMES } from '../../lesson/exercise1.js';
import { MAX_SEED } from '../../training/options.js';
import { type CommandContext, defineCommand } from '../command.js';
import { type Paint, paintFor } from '../terminal/colors.js';
import { EXIT_NO } from '../terminal/exitCodes.js';
import { formatCountOf, listCommands, widthOf, wrapCommand, wrapText } from '../terminal/format.js';
import { commandName, type Output } from '../terminal/io.js';
import { similarGradient } from './place.js';

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

const HELP = [
  ['probe dh', "compare the pass's dh with the right one"],
  ['guess dh', 'say that the mistake is in the line of dh'],
  ['list', 'list the 26 gradients in backward order'],
  ['quit', 'give up and see the mistake'],
] as const;

/** @returns whether the player found the line */
async function play({ io, json, color, options, printJson }: CommandContext<(typeof OPTIONS)[number]>): Promise<boolean> {
  const seed = options.seed ?? io.date().getTime() % HUNT_SEEDS;
  const hunt = new Hunt(seed);
  const out = json ? io.stderr : io.stdout;
  const paint = await paintFor(out, io.env, color);
  const page = new Page(out, paint);
  page.say(`Hunt ${seed}: ${HUNT_TEXTS.task}`);
  page.write(['', ...page.help(), '']);
  for await (const line of io.readLines('hunt> ', [...COMMANDS, ...GRADIENT_NAMES])) {
    if (answer(line.trim(), hunt, page) === 'end') break;
  }
  const { line, name, mistake } = hunt.reveal();
  const { found, named, score, probes, guesses } = hunt;
  if (!named) page.say(HUNT_TEXTS.answer(line, mistake));
  if (found) page.say(`${paint.green(HUNT_TEXTS.score(score))}, with ${formatCountOf(probes.length, 'probe')}.`);
  page.write(wrapCommand('Give a friend the same hunt:', `${commandName(io)} hunt --seed ${seed}`, page.width));
  page.write(wrapCommand('See what the mistake does to training:', `${commandName(io)} train --mutant ${name}`, page.width));
  if (json) printJson({ seed, found, named, line, mutant: name, mistake, probes, guesses, score: found ? score : 0 });
  return found;
}

/** Writes to the player, in lines that fit the terminal. */
class Page {
  readonly width: number;
  readonly #out: Output;
  readonly #paint: Paint;

  constructor(out: Output, paint: Paint) {
    this.#out = out;
    this.#paint = paint;
    this.width = widthOf(out);
  }

  write(lines: readonly string[]): void {
    this.#out.write(`${lines.join('\n')}\n`);
  }

  /** Lines after the first are indented. */
  say(text: string, indent = ''): void {
    this.write(wrapText(text, this.width - indent.length).map((line, i) => (i === 0 ? line : `${indent}${line}`)));
  }

  bold(text: string): string {
    return this.#paint.bold(text);
  }

  help(): string[] {
    return listCommands(HELP, this.width);
  }
}

/** Answers one line of input. */
function answer(text: string, hunt: Hunt, page: Page): 'on' | 'end' {
  if (text === '') return 'on';
  if (/^(q|quit|exit)$/.test(text)) return 'end';
  if (hunt.found) return choose(text, hunt, page);
  const [command, name = ''] = text.split(/\s+/);
  if (command === 'list') page.write(wrapText(GRADIENT_NAMES.join('  '), page.width - 2).map((line) => `  ${line.trim()}`));
  else if (command === 'help') page.write(page.help());
  else if (command !== 'probe' && command !== 'guess') refuse('command', command, closest(command, COMMANDS), page);
  else if (name === '') page.say("which gradient? 'list' shows all");
  else if (!isGradientName(name)) refuse('gradient', name, similarGradient(name), page);
  else if (command === 'probe') page.say(`${probeText(hunt.probe(name))}; ${hunt.score} points`, '   ');
  else if (hunt.guess(name)) {
    page.say(`${page.bold(HUNT_TEXTS.found(name))} ${HUNT_TEXTS.question}`);
    showChoices(hunt, page);
  } else page.say(HUNT_TEXTS.otherLine(name, hunt.score));
  return 'on';
}

function refuse(kind: 'command' | 'gradient', word: string, similar: string | undefined, page: Page): void {
  const unknown = `unknown ${kind} '${quoteText(word)}'`;
  if (similar !== undefined) page.say(`${unknown}; did you mean ${similar}`);
  else if (kind === 'gradient') page.say(`${unknown}; 'list' shows all`);
  else {
    page.say(unknown);
    page.write(page.help());
  }
}

function choose(text: string, hunt: Hunt, page: Page): 'on' | 'end' {
  const number = /^\d+$/.test(text) ? Number(text) : 0;
  const { choices } = hunt;
  if (number < 1 || number > choices.length) {
    page.say(`Type a number from 1 to ${choices.length}:`);
    showChoices(hunt, page);
    return 'on';
  }
  if (hunt.choose(number - 1)) {
    page.say(HUNT_TEXTS.named);
    return 'end';
  }
  page.say(HUNT_TEXTS.otherMistake(hunt.score));
  return 'on';
}

function showChoices({ choices }: Hunt, page: Page): void {
  for (const [i, mistake] of choices.entries()) page.say(`  ${i + 1}  ${mistake}`, '     ');
}

function probeText(probe: Probe): string {
  return `${probe.agrees ? '✓' : '✗'}  ${probe.name} ${showShape(probe.shape)}  ${probeResult(probe)}`;
}
