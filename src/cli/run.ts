import { CommanderError } from 'commander';
import { type ErrorDetails, FileContentError, fullMessage, NumericalError, SystemError, UsageError } from '../core/errors.js';
import { showPath, showPathsFrom } from '../core/text.js';
import { isFromSystem, systemError } from '../node/systemErrors.js';
import { COMMANDS, commandsIn, createProgram, loadCommands } from './program.js';
import { paintFor } from './terminal/colors.js';
import { EXIT_FILE, EXIT_NUMBERS, EXIT_SYSTEM, EXIT_USAGE } from './terminal/exitCodes.js';
import { errorLines } from './terminal/format.js';
import type { IO } from './terminal/io.js';
import { loadWidths } from './terminal/width.js';

/** Runs a command line. Returns the exit code; an error is printed on stderr, in one line unless a terminal is narrower. */
export async function run(argv: readonly string[], io: IO): Promise<number> {
  let exitCode = 0;
  showPathsFrom(() => io.cwd);
  const color = !argv.includes('--no-color');
  const setExitCode = (code: number) => {
    exitCode = code;
  };
  try {
    const program = createProgram(io, { loaded: await loadCommands(commandsIn(argv)), setExitCode, color });
    await program.parseAsync(withoutUnknownTopic(argv), { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError && (error.exitCode === 0 || error.code === 'commander.help')) {
      return error.exitCode === 0 ? 0 : EXIT_USAGE;
    }
    if (error instanceof Error) {
      const { message, hint, command }: Error & ErrorDetails = error;
      io.tellSweep?.({ error: { message, hint, command } });
    }
    const paint = await paintFor(io.stderr, io.env, color);
    const shown = await readable(error, argv, io);
    await loadWidths(typeof shown === 'string' ? shown : fullMessage(shown));
    const lines = errorLines(shown, io.stderr, io);
    io.stderr.write(`${lines.join('\n').replace(/^error:/, (word) => paint.red(word))}\n`);
    if (argv.includes('--debug') && error instanceof Error) io.stderr.write(`${error.stack}\n`);
    return exitCodeOf(error);
  }
}

/** `help` about an unknown command fails like that command, with a suggestion: commander would print the whole help. */
function withoutUnknownTopic(argv: readonly string[]): readonly string[] {
  const [first, topic] = argv;
  const isUnknown = first === 'help' && topic !== undefined && !topic.startsWith('-') && !COMMANDS.some(({ name }) => name === topic);
  return isUnknown ? argv.slice(1) : argv;
}

async function readable(error: unknown, argv: readonly string[], io: IO): Promise<Error | string> {
  if (error instanceof CommanderError) return (await import('./parseError.js')).parseError(error, argv, io);
  if (isFromSystem(error) && error.path !== undefined) return systemError(`cannot use ${showPath(error.path)}`, error);
  return error instanceof Error ? error : String(error);
}

function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return EXIT_USAGE;
  if (error instanceof UsageError) return EXIT_USAGE;
  if (error instanceof FileContentError) return EXIT_FILE;
  if (error instanceof SystemError) return EXIT_SYSTEM;
  if (error instanceof NumericalError) return EXIT_NUMBERS;
  return EXIT_SYSTEM;
}
