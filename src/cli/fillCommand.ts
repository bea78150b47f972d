import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Command, CommanderError } from 'commander';
import { UsageError } from '../core/errors.js';
import type { OptionRow } from '../core/optionRow.js';
import { shellWord } from '../core/text.js';
import { type CommandContext, type CommandDefinition, examplesText } from './command.js';
import { addArguments, addOptions, COMMON_OPTIONS, givenValues } from './options.js';
import type { FillCommand, LoadedCommand } from './program.js';
import { paintFor } from './terminal/colors.js';
import { commandName, type IO } from './terminal/io.js';

/** Builds a command for commander from its definition. */
export function fillCommand(definition: LoadedCommand): FillCommand {
  return (command, io, setExitCode) => fill(command, definition, io, setExitCode);
}

function fill(command: Command, definition: LoadedCommand, io: IO, setExitCode: (code: number) => void): void {
  command.description(definition.description);
  if ('commands' in definition) {
    for (const [name, subcommand] of Object.entries(definition.commands)) {
      fillOne(command.command(name).description(subcommand.description), subcommand, io, setExitCode);
    }
  } else fillOne(command, definition, io, setExitCode);
  command.addHelpText('after', ({ error }) => examplesText(definition.examples, (error ? io.stderr : io.stdout).columns, commandName(io)));
}

function fillOne(command: Command, definition: Omit<CommandDefinition, 'examples'>, io: IO, setExitCode: (code: number) => void): void {
  const { arguments: argumentRows = [], options = [], run } = definition;
  addArguments(command, argumentRows);
  addOptions(command, options);
  addOptions(command, COMMON_OPTIONS);
  const { elsewhere } = definition;
  if (elsewhere) command.exitOverride((error) => refuseUnknown(error, elsewhere));
  const noArguments = argumentRows.length === 0;
  if (noArguments) command.allowExcessArguments();
  command.action(async () => {
    if (noArguments) refuseArguments(command, options, io);
    const code = await run(createContext(command, io), ...command.processedArgs);
    if (typeof code === 'number') setExitCode(code);
  });
}

/** @throws UsageError for an option that belongs elsewhere; otherwise commander's own error */
function refuseUnknown(error: CommanderError, elsewhere: (flag: string) => string | undefined): never {
  const [, flag] = error.code === 'commander.unknownOption' ? (/'(--[\w-]+)/.exec(error.message) ?? []) : [];
  const place = flag === undefined ? undefined : elsewhere(flag);
  throw place === undefined ? error : new UsageError(place, { cause: error });
}

/** @throws UsageError if the command line has arguments; the hint is the option that they may be meant for */
function refuseArguments(command: Command, options: readonly OptionRow[], { cwd }: IO): void {
  const [argument] = command.args;
  if (argument === undefined) return;
  const has = (key: string) => options.some((row) => row.key === key);
  const takesRun = has('resume') ? '--resume' : has('run') ? '--run' : undefined;
  const isRun = takesRun !== undefined && statSync(resolve(cwd, argument), { throwIfNoEntry: false })?.isDirectory();
  const isPreset = options.some(({ key, kind }) => key === 'preset' && kind.read(argument) !== undefined);
  const meant = isRun ? takesRun : isPreset ? '--preset' : has('data') ? '--data' : undefined;
  const details = meant === undefined ? {} : { hint: `did you mean ${meant} ${shellWord(argument, 'file')}?` };
  throw new UsageError(`'${command.name()}' takes no arguments, but got '${argument}'`, details);
}

function createContext(command: Command, io: IO): CommandContext {
  const { json = false, color, debug, ...options } = command.opts();
  return {
    io,
    options,
    given: givenValues(command),
    json,
    color,
    paint: () => paintFor(io.stdout, io.env, color),
    printJson: (document) => io.stdout.write(`${JSON.stringify(document)}\n`),
  };
}
