import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { CommanderError } from 'commander';
import { shellWord } from '../core/text.js';
import { commandHabit, habitHint } from './habits.js';
import { commanderMessage } from './options.js';
import { commandName, type IO } from './terminal/io.js';

/** The message of a command line that cannot be parsed, with what the unknown word is called here. */
export function parseError(error: CommanderError, argv: readonly string[], io: IO): string {
  const message = commanderMessage(error);
  const [, kind, word, near = ''] = /^unknown (option|command) '(.*?)'(?: \(Did you mean (?:one of )?(.*)\?\))?$/s.exec(message) ?? [];
  if (word === undefined || (near !== '' && letters(near) === letters(word))) return message;
  const command = argv.find((one) => !one.startsWith('-')) ?? '';
  const hint = kind === 'option' ? habitHint(word, command) : command === word ? commandHint(word, io) : undefined;
  return hint === undefined || (near !== '' && hint.includes(near)) ? message : `unknown ${kind} '${word}'; ${hint}`;
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
