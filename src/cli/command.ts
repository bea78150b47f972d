/** A command as its file defines it: data for the parser, the help and docs/cli.md, and the function to run. */
import type { Kind } from '../core/kinds.js';
import type { GivenValues, OptionRow, Values } from '../core/optionRow.js';
import type { Paint } from './terminal/colors.js';
import { listCommands } from './terminal/format.js';
import type { IO } from './terminal/io.js';

export interface CommandDefinition<Row extends OptionRow = OptionRow> {
  readonly description: string;
  readonly arguments?: readonly ArgumentRow[];
  readonly options?: readonly Row[];
  readonly examples: readonly Example[];
  /** Where an option belongs that the command does not have; undefined if it is unknown altogether. */
  readonly elsewhere?: (flag: string) => string | undefined;
  /**
   * Runs the command with the values of its arguments.
   * @returns the exit code, or a promise of it; no number means 0
   */
  run(context: CommandContext<Row>, ...values: unknown[]): unknown;
}

/** A command that only has subcommands. */
export interface CommandGroup {
  readonly description: string;
  readonly examples: readonly Example[];
  readonly commands: Readonly<Record<string, Omit<CommandDefinition, 'examples'>>>;
}

export interface ArgumentRow {
  /** `<run>` if required, `[run]` if not. */
  readonly name: string;
  readonly description: string;
  /** Default: any text. */
  readonly kind?: Kind<unknown>;
  readonly default?: unknown;
  /** The default in words, if it is not a fixed value. */
  readonly defaultText?: string;
}

export type Example = readonly [command: string, does: string];

/** Passed to every command. */
export interface CommandContext<Row extends OptionRow = OptionRow> {
  readonly io: IO;
  /** Values of the options, with their fixed defaults. */
  readonly options: Values<Row>;
  /** Values of the options that are on the command line. */
  readonly given: GivenValues<Row>;
  /** Whether stdout gets one JSON document. */
  readonly json: boolean;
  /** Whether colours are allowed: see paintFor. */
  readonly color: boolean;
  /** The styles for stdout. */
  paint(): Promise<Paint>;
  printJson(document: unknown): void;
}

/** Gives `run` the types of its options. */
export function defineCommand<const Row extends OptionRow = never>(definition: CommandDefinition<Row>): CommandDefinition {
  return definition as unknown as CommandDefinition;
}

/** The same for a subcommand, which has no examples of its own. */
export function defineSubcommand<const Row extends OptionRow = never>(
  definition: Omit<CommandDefinition<Row>, 'examples'>,
): Omit<CommandDefinition, 'examples'> {
  return definition as unknown as CommandDefinition;
}

/**
 * The examples below a help text.
 * @param program the program's name in a command to type
 */
export function examplesText(examples: readonly Example[], columns = 80, program = 'backprop-ninja'): string {
  const rows = examples.map(([command, does]) => [command.replace(/^backprop-ninja\b/, program), does] as const);
  return `\nExamples:\n${listCommands(rows, columns).join('\n')}\n`;
}
