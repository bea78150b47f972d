/** Builds commander's options and arguments from their rows. Commander reports a refused value with the option's name. */
import { Argument, Command, type CommanderError, InvalidArgumentError, Option } from 'commander';
import { flag, type Kind, text } from '../core/kinds.js';
import type { GivenValues, OptionRow } from '../core/optionRow.js';
import type { ArgumentRow } from './command.js';

const OPTIONS = 'Options:';

/** The options that every command has. */
export const COMMON_OPTIONS = [
  { key: 'json', flag: '--json', description: 'print one JSON document on stdout', kind: flag },
  { key: 'color', flag: '--no-color', description: 'print without colours', kind: flag },
  { key: 'debug', flag: '--debug', description: 'print the stack trace of an error', kind: flag },
] as const satisfies readonly OptionRow[];

/** The data set of the commands that train. */
export const DATA_OPTION = {
  key: 'data',
  flag: '--data <file>',
  description: 'text file with one name per line',
  defaultText: 'the bundled names',
  kind: text,
  commands: ['train', 'train --mutant', 'sweep', 'lr-find', 'bench'],
} as const satisfies OptionRow;

export function addOptions(command: Command, rows: readonly OptionRow[]): void {
  for (const row of rows) {
    if (row.flag === undefined) continue;
    command.optionsGroup(row.group ?? OPTIONS).addOption(createOption(row, row.flag));
  }
}

function createOption(row: OptionRow, flags: string): Option {
  const { kind, description, defaultText, default: value } = row;
  const option = new Option(flags, withDefaultText(description, defaultText));
  if (row.required) option.makeOptionMandatory();
  if (kind.stored.type === 'choice') option.choices(kind.stored.choices);
  else if (row.repeatable) option.argParser((one, before: string[] = []) => [...before, one]);
  else if (kind.stored.type !== 'flag' && kind !== text) option.argParser(parserOf(kind));
  if (value !== undefined && value !== false) option.default(value, typeof value === 'string' ? undefined : kind.show(value));
  return option;
}

function withDefaultText(description: string, defaultText: string | undefined): string {
  return defaultText === undefined ? description : `${description} (default: ${defaultText})`;
}

export function addArguments(command: Command, rows: readonly ArgumentRow[]): void {
  for (const { name, description, kind = text, default: value, defaultText } of rows) {
    const argument = new Argument(name, withDefaultText(description, defaultText));
    if (kind !== text) argument.argParser(parserOf(kind));
    command.addArgument(value === undefined ? argument : argument.default(value));
  }
}

function parserOf(kind: Kind<unknown>): (text: string) => unknown {
  return (text) => {
    const value = kind.read(text);
    if (value === undefined) throw new InvalidArgumentError(`Expected ${kind.expected}.`);
    return value;
  };
}

/** The values on the command line, without defaults. */
export function givenValues<Row extends OptionRow>(command: Command): GivenValues<Row> {
  const given = Object.entries(command.opts()).filter(([key]) => command.getOptionValueSource(key) === 'cli');
  return Object.fromEntries(given) as GivenValues<Row>;
}

/** Parses words as the options of a command. @throws CommanderError if they are not such options */
export function parseWords<Row extends OptionRow>(name: string, rows: readonly Row[], words: readonly string[]): GivenValues<Row> {
  const command = new Command(name).exitOverride().configureOutput({ writeOut: () => {}, outputError: () => {} });
  addOptions(command, rows);
  command.parse(words, { from: 'user' });
  return givenValues(command);
}

/** Commander's message in one line: it begins with "error: ", and may have a suggestion on a second line. */
export function commanderMessage({ message }: CommanderError): string {
  return message
    .replace(/^error: /, '')
    .trim()
    .replace(/\n(?=\(Did you mean)/, ' ');
}
