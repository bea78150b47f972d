import { Command, CommanderError, Option } from 'commander';
import { MAX_BLOCKS, OPTIMIZERS, SAMPLINGS, SCHEDULES } from '../core/choices.js';
import { UsageError } from '../core/errors.js';
import { CHECK_DEFAULTS, PARTS } from '../gradCheck/options.js';
import { decimalNumber, type ExercisePlace, exercisePlace, weightDecay, wholeNumber, wholeNumberOrAll, wholeNumbers } from './options.js';
import { colorLevel } from './terminal/colors.js';
import { EXIT_NO } from './terminal/exitCodes.js';
import type { IO } from './terminal/io.js';
import { PRESET_NAMES } from './train/presets.js';
import type { ParseTrain } from './train/sweepCommand.js';
import { programVersion } from './version.js';

const MAX_SEED = Number.MAX_SAFE_INTEGER;

/**
 * The command line. A command's module is loaded when the command runs, so that --help starts fast.
 * @param setExitCode called by a command that ran and whose answer is no
 * @param color whether help may have colours: it is printed before commander has parsed --no-color
 */
export function createProgram(io: IO, setExitCode: (code: number) => void, color = true): Command {
  const program = new Command('backprop-ninja')
    .description('Trains a character-level language model with every gradient written by hand, and proves the gradients right.')
    .version(programVersion())
    .exitOverride()
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text),
      // Said by run(), in one line.
      outputError: () => {},
      getOutHelpWidth: () => io.stdout.columns,
      getErrHelpWidth: () => io.stderr.columns,
      getOutHasColors: () => colorLevel(io.stdout, io.env, color) > 0,
      getErrHasColors: () => colorLevel(io.stderr, io.env, color) > 0,
    });
  addTrain(program, io, setExitCode);
  addLrFind(program, io, setExitCode);
  addSweep(program, io, setExitCode);
  addEval(program, io);
  addSample(program, io);
  addGradCheck(program, io, setExitCode);
  addExercise(program, io, setExitCode);
  addHunt(program, io, setExitCode);
  addMutants(program, io, setExitCode);
  addReplay(program, io, setExitCode);
  addDiff(program, io, setExitCode);
  addBench(program, io, setExitCode);
  program.addHelpText(
    'after',
    examples(
      ['backprop-ninja train', "train the lesson's network on the bundled names"],
      ['backprop-ninja sample --count 5', 'print five new names from the newest run'],
      ['backprop-ninja grad-check', 'hold every gradient against finite differences'],
      ['backprop-ninja exercise start', 'write the gradients yourself, and be told what is wrong'],
    ),
  );
  return program;
}

function examples(...lines: [command: string, does: string][]): string {
  const width = Math.max(...lines.map(([command]) => command.length));
  return `\nExamples:\n${lines.map(([command, does]) => `  ${command.padEnd(width)}   ${does}`).join('\n')}\n`;
}

/** Headings of the help. What many commands have stands under the first, whatever comes between. */
const OPTIONS = 'Options:';
const NETWORK = 'The network and its batches:';
const RECIPE = 'How it is trained:';

/** The options that every command has. */
function addCommonOptions(command: Command): Command {
  return command
    .optionsGroup(OPTIONS)
    .option('--json', 'print one JSON document on stdout')
    .option('--no-color', 'print without colours')
    .option('--debug', 'print the stack trace of an error');
}

/** The sizes of a network and its batch; the defaults are the lesson's. */
function addNetworkOptions(command: Command): Command {
  return command
    .optionsGroup(NETWORK)
    .option('--context <T>', 'characters that the next one is predicted from', wholeNumber(1, 64), 3)
    .option('--embedding <E>', 'numbers per character', wholeNumber(1, 65_536), 10)
    .addOption(
      new Option('--hidden <H,...>', 'hidden units; with commas, those of each block, one upon the other')
        .argParser(wholeNumbers(1, 1_048_576, MAX_BLOCKS))
        .default([200], '200'),
    )
    .option('--batch-size <n>', 'examples per step', wholeNumber(2, 1_048_576), 32);
}

/** How a network is trained; the defaults are the lesson's. */
function addRecipeOptions(command: Command): Command {
  command
    .optionsGroup(RECIPE)
    .option('--steps <count>', 'steps of gradient descent', wholeNumber(1, 1_000_000_000), 200_000)
    .option('--lr <rate>', 'learning rate (default: 0.1; with adam and adamw 0.001)', decimalNumber(0, 1000, 'open'))
    .addOption(
      new Option('--schedule <name>', 'step: a tenth of the rate from half of the steps on; linear, cosine: down to 0')
        .choices(SCHEDULES)
        .default('step'),
    )
    .option('--warmup <steps>', 'steps over which the rate goes up', wholeNumber(0, 1_000_000_000), 0);
  return addOptimizerOptions(command);
}

/** What makes steps of gradients, and of which batches. */
function addOptimizerOptions(command: Command): Command {
  return command
    .optionsGroup(RECIPE)
    .addOption(new Option('--optimizer <name>', 'what makes steps of gradients').choices(OPTIMIZERS).default('sgd'))
    .option('--momentum <m>', 'of momentum and nesterov (default: 0.9)', decimalNumber(0, 1, 'below'))
    .option('--beta1 <b>', 'of adam and adamw, for the mean gradient (default: 0.9)', decimalNumber(0, 1, 'below'))
    .option('--beta2 <b>', 'of adam and adamw, for its mean square (default: 0.999)', decimalNumber(0, 1, 'below'))
    .option('--weight-decay <d>', 'of adamw, on the weight matrices, or as W1=1.2,C=0.5 (default: 0.01)', weightDecay)
    .option('--clip <norm>', 'largest norm of the gradient, all parameters together (default: none)', decimalNumber(0, 1_000_000, 'open'))
    .addOption(
      new Option('--sampling <way>', 'how batches are drawn; epochs: each example once in each').choices(SAMPLINGS).default('replacement'),
    );
}

function addTrain(program: Command, io: IO, setExitCode: (code: number) => void): void {
  const command = program
    .command('train')
    .description('train a network, report its losses and sample from it')
    .addOption(presetOption("lesson: the lesson's recipe; fast: a better loss, in 2 s; best: the least, in 80 s").default('lesson'))
    .option('--data <file>', 'text with a name per line (default: the bundled names)')
    .option('--out <dir>', 'run directory (default: a new runs/NNNN)')
    .option('--force', 'replace the run in an existing directory')
    .option('--resume [run]', 'go on with a run that was stopped (default: runs/latest); with more --steps, extend it');
  addNetworkOptions(command);
  addRecipeOptions(command)
    .optionsGroup('Seeds, saves and checks:')
    .option('--seed <number>', 'decides weights, batches and samples', wholeNumber(0, MAX_SEED), 2_147_483_647)
    .option('--split-seed <number>', 'decides which names are held out', wholeNumber(0, MAX_SEED), 42)
    .option('--unique', 'drop repeated names before the split', false)
    .option('--eval-every <steps>', 'steps between evaluations (default: under 2 % of the time)', wholeNumber(1, 1_000_000_000))
    .option('--save-every <steps>', 'steps between saves (default: as --eval-every)', wholeNumber(1, 1_000_000_000))
    .option('--check-every <steps>', 'steps between checks that all numbers are finite (default: 1000)', wholeNumber(1, 1_000_000_000))
    .option('--mutant <name>', "train a mistake of 'mutants' beside the right gradients (default there: --hidden 64 --steps 5000)")
    .action(async (options, self: Command) => {
      const { trainCommand } = await import('./train/trainCommand.js');
      setExitCode(await trainCommand(options, (name) => self.getOptionValueSource(name) === 'cli', io));
    });
  addCommonOptions(command).addHelpText(
    'after',
    examples(
      ['backprop-ninja train', "the lesson's recipe"],
      ['backprop-ninja train --preset fast', 'a better loss than that, in two seconds'],
      ['backprop-ninja train --steps 20000 --hidden 64 --out quick', 'a small network, into a directory of your own'],
      ['backprop-ninja train --data words.txt --context 5', 'any list of words, with a longer context'],
      ['backprop-ninja train --hidden 300,200', 'a network of two blocks'],
      ['backprop-ninja train --optimizer adamw --lr 0.002 --schedule linear', 'another recipe'],
      ['backprop-ninja train --resume', 'go on with the newest run'],
      ['backprop-ninja train --mutant dbnraw-gain-forgotten', 'a wrong gradient beside the right ones'],
    ),
  );
}

function presetOption(description: string): Option {
  return new Option('--preset <name>', description).choices(PRESET_NAMES);
}

function addLrFind(program: Command, io: IO, setExitCode: (code: number) => void): void {
  const command = program
    .command('lr-find')
    .description('watch the loss while the learning rate goes up, and propose a rate')
    .addOption(presetOption('network and optimizer of a recipe of train').default('lesson'))
    .option('--data <file>', 'text with a name per line (default: the bundled names)')
    .option('--from <rate>', "the first step's rate (default: 0.001 for sgd, less for others)", decimalNumber(0, 1000, 'open'))
    .option('--to <rate>', "the last step's (default: 10 for sgd, 1 for others)", decimalNumber(0, 1000, 'open'))
    .option('--steps <count>', 'steps between them', wholeNumber(2, 1_000_000), 1000);
  addNetworkOptions(command);
  addOptimizerOptions(command)
    .optionsGroup('Seeds:')
    .option('--seed <number>', 'decides weights and batches', wholeNumber(0, MAX_SEED), 2_147_483_647)
    .option('--split-seed <number>', 'decides which names are held out', wholeNumber(0, MAX_SEED), 42)
    .option('--unique', 'drop repeated names before the split', false)
    .action(async (options, self: Command) => {
      const { lrFindCommand } = await import('./train/lrFindCommand.js');
      setExitCode(await lrFindCommand(options, (name) => self.getOptionValueSource(name) === 'cli', io));
    });
  addCommonOptions(command).addHelpText(
    'after',
    examples(
      ['backprop-ninja lr-find', "for the lesson's recipe"],
      ['backprop-ninja lr-find --preset best', 'for the network and the optimizer of another'],
    ),
  );
}

function addSweep(program: Command, io: IO, setExitCode: (code: number) => void): void {
  const command = program
    .command('sweep')
    .description('train every combination of some options, on all cores, and rank them by validation loss')
    .argument('[train-options...]', "behind --: options of 'train' that all runs have in common")
    .requiredOption(
      '--vary <option=values>',
      'values to try, as lr=0.05/0.1/0.2, or a range to draw from, as lr=0.01..1; repeatable',
      collect,
    )
    .option('--random <runs>', 'draw so many combinations at random (default: a grid of all)', wholeNumber(1, 1_000_000))
    .option('--seed <number>', 'decides what is drawn', wholeNumber(0, MAX_SEED), 1)
    .option('--out <dir>', "the sweep's directory; a sweep in it goes on", 'sweep')
    .option('--jobs <count>', 'runs at a time (default: the number of cores)', wholeNumber(1, 1024))
    .action(async (trainArguments: string[], options) => {
      const { sweepCommand } = await import('./train/sweepCommand.js');
      setExitCode(await sweepCommand(trainArguments, options, parseTrain, io));
    });
  addCommonOptions(command).addHelpText(
    'after',
    examples(
      ['backprop-ninja sweep --vary lr=0.05/0.1/0.2 --vary hidden=100/200 -- --steps 20000', 'a grid of six runs'],
      ['backprop-ninja sweep --vary lr=0.01..1 --random 12 --out rates -- --steps 5000', 'twelve rates at random'],
      ['backprop-ninja sweep --vary lr=0.1/0.2 --vary seed=1/2/3', 'each rate by the median of three seeds'],
    ),
  );
}

function collect(value: string, before: string[] = []): string[] {
  return [...before, value];
}

/** What a sweep decides itself for each of its runs. */
const SWEEP_DECIDES = ['out', 'force', 'resume', 'mutant', 'json', 'debug'];

/** What `train` makes of these words. @throws CommanderError, or UsageError, if it would not take them in a sweep */
function parseTrain(words: readonly string[]): ReturnType<ParseTrain> {
  const silent = { write: () => {}, isTTY: false, columns: 80 };
  const program = createProgram({ stdout: silent, stderr: silent, env: {} } as unknown as IO, () => {});
  const train = program.commands.find((command) => command.name() === 'train') as Command;
  train.action(() => {});
  const given = (option: string) => train.getOptionValueSource(option) === 'cli';
  try {
    program.parse(['train', ...words], { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) throw new UsageError('--help has no meaning for the runs of a sweep');
    if (error instanceof CommanderError && error.code === 'commander.invalidArgument' && error.message.includes(',')) {
      error.message = `${error.message.trim()} --vary separates values by /, as lr=0.05/0.1.`;
    }
    throw error;
  }
  const decided = SWEEP_DECIDES.find(given);
  if (decided) throw new UsageError(`--${decided} has no meaning for the runs of a sweep`);
  return { options: train.opts(), given };
}

function addEval(program: Command, io: IO): void {
  const command = program
    .command('eval')
    .description("print a run's loss over every example of a part of its data")
    .argument('[run]', 'run directory or checkpoint (default: runs/latest)')
    .addOption(new Option('--split <part>', 'which part').choices(['train', 'val', 'test']).default('val'))
    .option('--data <file>', "data set (default: the run's own)")
    .action(async (run: string | undefined, options) => {
      const { evalCommand } = await import('./look/evalCommand.js');
      evalCommand(run, options, io);
    });
  addCommonOptions(command).addHelpText(
    'after',
    examples(
      ['backprop-ninja eval', "the newest run's validation loss"],
      ['backprop-ninja eval runs/0001 --split test', 'the test loss of another'],
    ),
  );
}

function addSample(program: Command, io: IO): void {
  const command = program
    .command('sample')
    .description('print new names, one a line')
    .argument('[run]', 'run directory or checkpoint (default: runs/latest)')
    .option('--count <number>', 'how many', wholeNumber(1, 1_000_000), 20)
    .option('--temperature <t>', 'below 1 bolder, above 1 more varied, 0 always the likeliest', decimalNumber(0, 100), 1)
    .option('--top-k <k>', 'draw among the k likeliest characters only', wholeNumber(1, 1_114_112))
    .option('--prefix <text>', 'what every name begins with', '')
    .option('--seed <number>', "decides what is drawn (default: the run's seed)", wholeNumber(0, MAX_SEED))
    .action(async (run: string | undefined, options) => {
      const { sampleCommand } = await import('./look/sampleCommand.js');
      await sampleCommand(run, options, io);
    });
  addCommonOptions(command).addHelpText(
    'after',
    examples(
      ['backprop-ninja sample --count 5 --seed 1', 'five names'],
      ['backprop-ninja sample --prefix ma --temperature 0.7', 'likely names that begin with ma'],
      ['backprop-ninja sample --count 1000 | sort -u', 'a name a line, for other programs'],
    ),
  );
}

function addGradCheck(program: Command, io: IO, setExitCode: (code: number) => void): void {
  const command = program
    .command('grad-check')
    .description('hold every hand-written gradient against finite differences')
    .addOption(new Option('--part <name...>', 'which parts (default: all)').choices(PARTS))
    .option(
      '--eps <h>',
      'step of the differences, where the network bends over a length of 1',
      decimalNumber(0, 0.1, 'open'),
      CHECK_DEFAULTS.eps,
    )
    .option('--tolerance <t>', 'largest relative difference of a tensor', decimalNumber(0, 1, 'open'), CHECK_DEFAULTS.tolerance)
    .option(
      '--entries <count>',
      'entries of each tensor that are moved, or all',
      wholeNumberOrAll(1, 1_000_000_000),
      CHECK_DEFAULTS.entries,
    )
    .option('--seed <number>', 'decides parameters, batches and entries', wholeNumber(0, MAX_SEED), 2_147_483_647)
    .option('--against <file>', "check somebody else's gradients: a safetensors file with parameters, Xb, Yb and d… tensors")
    .action(async (options, self: Command) => {
      const { gradCheckCommand } = await import('./check/gradCheckCommand.js');
      const given = (name: string) => self.getOptionValueSource(name) === 'cli';
      if (!(await gradCheckCommand(options, given, io))) setExitCode(EXIT_NO);
    });
  addCommonOptions(command).addHelpText(
    'after',
    examples(
      ['backprop-ninja grad-check', 'all parts, in a few seconds'],
      ['backprop-ninja grad-check --part atomic --entries all', 'every entry of the 26 gradients'],
      ['backprop-ninja grad-check --against mine.safetensors', "PyTorch's gradients, say, against ours"],
    ),
  );
}

function addExercise(program: Command, io: IO, setExitCode: (code: number) => void): void {
  const exercise = program.command('exercise').description('the dojo: write the backward pass yourself, and be told what is wrong');
  const command = (name: string, description: string) =>
    addCommonOptions(
      exercise.command(name).description(description).option('--dir <dir>', 'your folder (default: dojo, or the current one inside of it)'),
    );
  const numbered = (name: string, description: string) =>
    command(name, description).argument('<exercise>', '1 to 4, or its file', exercisePlace);

  addCommonOptions(exercise.command('start').description('lay the four exercises out; nothing is overwritten'))
    .argument('[dir]', 'your folder', 'dojo')
    .action(async (directory: string, options) => {
      const { startCommand } = await import('./learn/exerciseCommand.js');
      startCommand(directory, options, io);
    });
  command('check', 'check your lines, one by one, and name what is wrong')
    .argument('[exercise]', '1 to 4, or its file (default: all)', exercisePlace)
    .action(async (place: ExercisePlace | undefined, options) => {
      const { checkCommand } = await import('./learn/exerciseCommand.js');
      if (!(await checkCommand(place?.number, { ...options, ...folderIn(place) }, io))) setExitCode(EXIT_NO);
    });
  command('watch', 'check at every save; keys for hints and the next exercise')
    .argument('[exercise]', '1 to 4, or its file (default: 1)', exercisePlace)
    .action(async (place: ExercisePlace | undefined, options) => {
      const { watchCommand } = await import('./learn/watchCommand.js');
      setExitCode(await watchCommand(place?.number ?? 1, { ...options, ...folderIn(place) }, io));
    });
  command('status', 'how far you are').action(async (options) => {
    const { statusCommand } = await import('./learn/exerciseCommand.js');
    await statusCommand(options, io);
  });
  command('hint', 'the rule behind a gradient, its shape, its formula')
    .argument('[exercise]', '1 to 4, or its file (default: the first that is not done)', exercisePlace)
    .argument('[gradient]', 'such as dprobs (default: the first that is not right)')
    .option('--step <number>', '1 the rule, 2 the shape, 3 the formula', wholeNumber(1, 3), 1)
    .action(async (place: ExercisePlace | undefined, gradient: string | undefined, options) => {
      const { hintCommand } = await import('./learn/exerciseCommand.js');
      await hintCommand(place?.number, gradient, { ...options, ...folderIn(place) }, io);
    });
  numbered('solution', 'the solution, once you have one')
    .argument('[gradient]', 'of one gradient only')
    .option('--force', 'before you have one')
    .action(async (place: ExercisePlace, gradient: string | undefined, options) => {
      const { solutionCommand } = await import('./learn/exerciseCommand.js');
      await solutionCommand(place.number, gradient, { ...options, ...folderIn(place) }, io);
    });
  numbered('reset', 'begin an exercise again; what you wrote is kept under another name').action(async (place: ExercisePlace, options) => {
    const { resetCommand } = await import('./learn/exerciseCommand.js');
    resetCommand(place.number, { ...options, ...folderIn(place) }, io);
  });
  exercise.addHelpText(
    'after',
    examples(
      ['backprop-ninja exercise start', 'lay the exercises out in dojo/'],
      ['backprop-ninja exercise check 1', 'a row per gradient; red ones say what is wrong'],
      ['backprop-ninja exercise hint 1', 'a hint for the first line that is not right'],
    ),
  );
}

/** A file's folder beats --dir. */
function folderIn(place: ExercisePlace | undefined): { dir?: string } {
  return place?.dir === undefined ? {} : { dir: place.dir };
}

function addHunt(program: Command, io: IO, setExitCode: (code: number) => void): void {
  const command = program
    .command('hunt')
    .description('find the one wrong line in a backward pass, with as few probes as you can')
    .option('--seed <number>', 'decides the mistake (default: another one each time)', wholeNumber(0, MAX_SEED))
    .action(async (options) => {
      const { huntCommand } = await import('./learn/huntCommand.js');
      if (!(await huntCommand(options, io))) setExitCode(EXIT_NO);
    });
  addCommonOptions(command).addHelpText(
    'after',
    examples(['backprop-ninja hunt', 'a mistake you have not seen'], ['backprop-ninja hunt --seed 7', 'the same one for everybody']),
  );
}

function addMutants(program: Command, io: IO, setExitCode: (code: number) => void): void {
  const command = program
    .command('mutants')
    .description('plant every mistake of the bank, and show which gradient checks notice it')
    .action(async (options) => {
      const { mutantsCommand } = await import('./check/mutantsCommand.js');
      if (!(await mutantsCommand(options, io))) setExitCode(EXIT_NO);
    });
  addCommonOptions(command).addHelpText(
    'after',
    examples(
      ['backprop-ninja mutants', "the kill matrix: others' checks beside ours"],
      ['backprop-ninja mutants --json', 'the same with what the dojo says of each'],
    ),
  );
}

function addReplay(program: Command, io: IO, setExitCode: (code: number) => void): void {
  const command = program
    .command('replay')
    .description('train a run again and hold its parameters against those it recorded')
    .argument('[run]', 'run directory or checkpoint (default: runs/latest)')
    .option('--data <file>', "data set (default: the run's own)")
    .action(async (run: string | undefined, options) => {
      const { replayCommand } = await import('./look/replayCommand.js');
      if (!(await replayCommand(run, options, io))) setExitCode(EXIT_NO);
    });
  addCommonOptions(command).addHelpText(
    'after',
    examples(['backprop-ninja replay runs/0001', 'prove that a run can be had again, bit for bit']),
  );
}

function addDiff(program: Command, io: IO, setExitCode: (code: number) => void): void {
  const command = program
    .command('diff')
    .description('name the first recorded step and tensors at which two runs part')
    .argument('<run-a>', 'run directory')
    .argument('<run-b>', 'run directory')
    .action(async (runA: string, runB: string, options) => {
      const { diffCommand } = await import('./look/diffCommand.js');
      if (!(await diffCommand(runA, runB, options, io))) setExitCode(EXIT_NO);
    });
  addCommonOptions(command).addHelpText(
    'after',
    examples(['backprop-ninja diff runs/0001 runs/0002', 'where they part, and what they were configured with']),
  );
}

function addBench(program: Command, io: IO, setExitCode: (code: number) => void): void {
  const command = program
    .command('bench')
    .description('time the training loop and each layer, after comparing their results')
    .option('--data <file>', 'text with a name per line (default: the bundled names)');
  addNetworkOptions(command)
    .optionsGroup(OPTIONS)
    .addOption(new Option('--backend <name>', 'what to time').choices(['wasm', 'reference', 'both']).default('both'))
    .option('--seconds <s>', 'time to spend on each backend', decimalNumber(0, 3600, 'open'), 3)
    .action(async (options) => {
      const { benchCommand } = await import('./check/benchCommand.js');
      if (!(await benchCommand(options, io))) setExitCode(EXIT_NO);
    });
  addCommonOptions(command).addHelpText(
    'after',
    examples(
      ['backprop-ninja bench', "the lesson's network, both backends"],
      ['backprop-ninja bench --hidden 1024 --batch-size 256 --backend wasm', 'a large one, kernels only'],
      ['backprop-ninja bench --hidden 300,200', 'one of two blocks'],
    ),
  );
}
