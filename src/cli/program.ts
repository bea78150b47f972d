/** The list of commands. A command's file is loaded when the command is run, so that --help starts fast. */
import { Command, Help } from 'commander';
import { type CommandDefinition, type CommandGroup, type Example, examplesText } from './command.js';
import { colorLevel } from './terminal/colors.js';
import { wrapText } from './terminal/format.js';
import { commandName, type IO } from './terminal/io.js';
import { programVersion } from './version.js';

export type LoadedCommand = CommandDefinition | CommandGroup;

export interface CommandEntry {
  name: string;
  /** Its heading in the help. */
  group: string;
  /** What it does, in one line. */
  summary: string;
  load(): Promise<LoadedCommand>;
}

const TRAIN = 'Train:';
const LOOK = 'Look:';
const CHECK = 'Check:';
const LEARN = 'Learn:';

export const COMMANDS: readonly CommandEntry[] = [
  {
    name: 'train',
    group: TRAIN,
    summary: 'train a network, report its losses and sample from it',
    load: async () => (await import('./train/train.js')).train,
  },
  {
    name: 'lr-find',
    group: TRAIN,
    summary: 'raise the learning rate step by step and suggest one',
    load: async () => (await import('./train/lrFind.js')).lrFind,
  },
  {
    name: 'sweep',
    group: TRAIN,
    summary: 'train combinations of options on all cores and rank them',
    load: async () => (await import('./train/sweep.js')).sweep,
  },
  {
    name: 'import',
    group: TRAIN,
    summary: 'make a run of weights that were trained elsewhere',
    load: async () => (await import('./train/import.js')).importWeights,
  },
  {
    name: 'sample',
    group: LOOK,
    summary: 'print new names',
    load: async () => (await import('./look/sample.js')).sample,
  },
  {
    name: 'eval',
    group: LOOK,
    summary: "print a run's loss on a part of its data",
    load: async () => (await import('./look/eval.js')).evaluate,
  },
  {
    name: 'plot',
    group: LOOK,
    summary: 'draw losses, rates and diagnostics of runs in the terminal',
    load: async () => (await import('./look/plot.js')).plot,
  },
  {
    name: 'doctor',
    group: LOOK,
    summary: 'say what is wrong with a network and its training, and what to change',
    load: async () => (await import('./look/doctor.js')).doctor,
  },
  {
    name: 'replay',
    group: LOOK,
    summary: 'train a run again and compare everything it recorded',
    load: async () => (await import('./look/replay.js')).replay,
  },
  {
    name: 'diff',
    group: LOOK,
    summary: 'compare two runs and show where they diverge',
    load: async () => (await import('./look/diff.js')).diff,
  },
  {
    name: 'report',
    group: LOOK,
    summary: 'write a report of a run, several runs or a sweep, and open it',
    load: async () => (await import('./look/report.js')).report,
  },
  {
    name: 'export',
    group: LOOK,
    summary: "write a run's network, names or first steps for other programs",
    load: async () => (await import('./look/export.js')).exportCommand,
  },
  {
    name: 'grad-check',
    group: CHECK,
    summary: 'compare every hand-written gradient with finite differences',
    load: async () => (await import('./check/gradCheck.js')).gradCheck,
  },
  {
    name: 'mutants',
    group: CHECK,
    summary: 'plant known mistakes and show which checks notice them',
    load: async () => (await import('./check/mutants.js')).mutants,
  },
  {
    name: 'bench',
    group: CHECK,
    summary: 'time the training loop and each layer',
    load: async () => (await import('./check/bench.js')).bench,
  },
  {
    name: 'exercise',
    group: LEARN,
    summary: 'write the backward pass yourself, checked line by line',
    load: async () => (await import('./learn/exercise.js')).exercise,
  },
  {
    name: 'why',
    group: LEARN,
    summary: 'show what an entry of a gradient is made of, up to the loss',
    load: async () => (await import('./learn/why.js')).why,
  },
  {
    name: 'hunt',
    group: LEARN,
    summary: 'find the one wrong line in a backward pass',
    load: async () => (await import('./learn/hunt.js')).hunt,
  },
  {
    name: 'open',
    group: LEARN,
    summary: 'open the page: see the backward pass, write it, prove it',
    load: async () => (await import('./learn/open.js')).open,
  },
];

const EXAMPLES: readonly Example[] = [
  ['backprop-ninja train', "train the lesson's network"],
  ['backprop-ninja sample --count 5', 'print five new names from the newest run'],
  ['backprop-ninja grad-check', 'check every gradient by finite differences'],
  ['backprop-ninja exercise start', 'write the gradients yourself, with a checker'],
];

/** Gives a command its description, arguments, options and action. */
export type FillCommand = (command: Command, io: IO, setExitCode: (code: number) => void) => void;

export interface ProgramOptions {
  /** The commands that may run or show their help, by name: see {@link loadCommands}. */
  loaded: ReadonlyMap<string, FillCommand>;
  setExitCode?: (code: number) => void;
  /** Whether help may have colours: it is printed before commander has parsed --no-color. */
  color?: boolean;
}

/** Loads the files of commands, and what builds them. */
export async function loadCommands(names: readonly string[]): Promise<Map<string, FillCommand>> {
  const entries = COMMANDS.filter(({ name }) => names.includes(name));
  if (entries.length === 0) return new Map();
  const { fillCommand } = await import('./fillCommand.js');
  const load = async ({ name, load }: CommandEntry) => [name, fillCommand(await load())] as const;
  return new Map(await Promise.all(entries.map(load)));
}

/** The commands that a command line needs: `train` for `train --steps 5` and for `help train`. */
export function commandsIn(argv: readonly string[]): string[] {
  return argv.filter((word) => !word.startsWith('-')).slice(0, 2);
}

/** As wide as the word that help begins with. */
const USAGE = ' '.repeat('Usage: '.length);
/** Columns of a terminal in which help shows less. */
const NARROW = 60;

export function createProgram(io: IO, { loaded, setExitCode = () => {}, color = true }: ProgramOptions): Command {
  const program = new Command('backprop-ninja')
    .description('Trains a character-level language model with every gradient written by hand, and proves the gradients right.')
    .version(programVersion())
    .exitOverride()
    .configureHelp({
      minWidthToWrap: 12,
      // With its arguments, a name leaves no room for a description.
      commandUsage: (command) => wrapText(new Help().commandUsage(command), io.stdout.columns - USAGE.length).join(`\n${USAGE}`),
      subcommandTerm: (command) => (io.stdout.columns < NARROW ? command.name() : new Help().subcommandTerm(command)),
    })
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text),
      // run() prints errors, in one line.
      outputError: () => {},
      getOutHelpWidth: () => io.stdout.columns,
      getErrHelpWidth: () => io.stderr.columns,
      getOutHasColors: () => colorLevel(io.stdout, io.env, color) > 0,
      getErrHasColors: () => colorLevel(io.stderr, io.env, color) > 0,
    });
  for (const { name, group, summary } of COMMANDS) {
    const command = program.commandsGroup(group).command(name).summary(summary);
    loaded.get(name)?.(command, io, setExitCode);
  }
  program.commandsGroup('Help:').helpCommand('help [command]', 'show the help of a command');
  return program.addHelpText('after', ({ error }) => examplesText(EXAMPLES, (error ? io.stderr : io.stdout).columns, commandName(io)));
}
