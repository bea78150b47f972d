import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { CommanderError } from 'commander';
import { flagName } from '../core/optionRow.js';
import { shellWord } from '../core/text.js';
import { commandHabit, habitHint } from './habits.js';
import { commanderMessage } from './options.js';
import { COMMANDS, commandsIn } from './program.js';
import { commandName, type IO } from './terminal/io.js';

/** The message of a command line that cannot be parsed, with what the unknown word is called here. */
export async function parseError(error: CommanderError, argv: readonly string[], io: IO): Promise<string> {
  const message = commanderMessage(error);
  const [, kind, word, near = ''] = /^unknown (option|command) '(.*?)'(?: \(Did you mean (?:one of )?(.*)\?\))?$/s.exec(message) ?? [];
  if (word === undefined || (near !== '' && letters(near) === letters(word))) return message;
  const hint = kind === 'option' ? await optionHint(word, argv) : commandsIn(argv)[0] === word ? commandHint(word, io) : undefined;
  return hint === undefined || (near !== '' && hint.includes(near)) ? message : `unknown ${kind} '${word}'; ${hint}`;
}

async function optionHint(option: string, argv: readonly string[]): Promise<string | undefined> {
  const [command = '', subcommand = ''] = commandsIn(argv);
  const loaded = await COMMANDS.find(({ name }) => name === command)?.load();
  const definition = loaded && 'commands' in loaded ? loaded.commands[subcommand] : loaded;
  const flags = (definition?.options ?? []).map(flagName);
  return habitHint(option, command, (flag) => flags.includes(flag));
}

/** Without dashes, underscores and a value. */
function letters(word: string): string {
  return word.replace(/=.*$/s, '').replace(/[-_]/g, '').toLowerCase();
}

function commandHint(word: string, io: IO): string | undefined {
  const known = commandHabit(word);
  if (known !== undefined) return `it is '${commandName(io)} ${known}' here`;
  const isFile = /\.(txt|csv|tsv)$/i.test(word) || existsSync(resolve(io.cwd, word));
  return isFile ? `to train on a file: ${commandName(io)} train --data ${shellWord(word, 'file')}` : undefined;
}
