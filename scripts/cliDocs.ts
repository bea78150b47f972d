/** The text of docs/cli.md, from the definitions of the commands. `npm run docs` writes it. */
import type { ArgumentRow, CommandDefinition, Example } from '../src/cli/command.js';
import { COMMON_OPTIONS } from '../src/cli/options.js';
import { COMMANDS, type LoadedCommand } from '../src/cli/program.js';
import type { OptionRow } from '../src/core/optionRow.js';

const INTRODUCTION = `# Commands

<!-- Made by \`npm run docs\` from the definitions in src/cli/ and the table in src/training/options.ts. Do not edit. -->

Run them as \`npx backprop-ninja …\`. Results go to stdout, progress and messages to stderr. Every command has \`--help\`, which shows the same as this page.

A flag wins over the environment, and the environment over the default. \`NO_COLOR\`, \`FORCE_COLOR\` and \`TERM=dumb\` are obeyed for
each stream. A preset only changes defaults; explicit options win. Nothing is overwritten without \`--force\`.
`;

const EXIT_CODES: readonly (readonly [code: string, meaning: string])[] = [
  ['0', 'done'],
  ['1', 'it ran, and the answer is no: a check failed'],
  ['2', 'wrong usage'],
  ['3', 'a bad input file'],
  ['4', 'input, output or environment'],
  ['5', 'numbers diverged'],
  ['129, 130, 143', 'stopped by SIGHUP, SIGINT or SIGTERM'],
];

export async function cliDocs(): Promise<string> {
  const sections: string[] = [];
  let heading = '';
  for (const { name, group, load } of COMMANDS) {
    if (group !== heading) sections.push(`## ${group.replace(':', '')}`);
    heading = group;
    sections.push(commandText(name, await load()));
  }
  const common = ['## Every command', table(['option', 'what it does'], COMMON_OPTIONS.map(commonCells))];
  const codes = ['## Exit codes', table(['code', 'meaning'], EXIT_CODES)];
  return `${[INTRODUCTION, ...sections, ...common, ...codes].join('\n\n').replace(/\n{3,}/g, '\n\n')}\n`;
}

function commandText(name: string, command: LoadedCommand): string {
  const parts =
    'commands' in command
      ? Object.entries(command.commands).map(([own, definition]) => usageText('####', `${name} ${own}`, definition))
      : [usageText('###', name, command)];
  const head = 'commands' in command ? [`### ${name}`, command.description] : [];
  return [...head, ...parts, examplesText(command.examples)].join('\n\n');
}

function usageText(heading: string, name: string, definition: Omit<CommandDefinition, 'examples'>): string {
  const { arguments: argumentRows = [], options = [], description } = definition;
  const words = [name, ...argumentRows.map((row) => row.name), ...(options.length > 0 ? ['[options]'] : [])];
  return [
    `${heading} ${name}`,
    `\`${words.join(' ')}\``,
    sentence(description),
    ...(argumentRows.length > 0 ? [table(['argument', 'what it is', 'default'], argumentRows.map(argumentCells))] : []),
    ...optionTables(options),
  ].join('\n\n');
}

/** A table for each heading of the help. */
function optionTables(options: readonly OptionRow[]): string[] {
  const shown = options.filter(({ flag }) => flag !== undefined);
  const groups = [...new Set(shown.map(({ group }) => group))];
  return groups.map((group) => {
    const head = [group === undefined ? 'option' : group.replace(':', '').toLowerCase(), 'what it does', 'default'];
    return table(head, shown.filter((row) => row.group === group).map(optionCells));
  });
}

function optionCells(row: OptionRow): string[] {
  const { flag = '', description, kind, default: value, defaultText } = row;
  const choices = kind.stored.type === 'choice' ? ` (${kind.stored.choices.map((one) => `\`${one}\``).join(', ')})` : '';
  const byDefault = value === undefined || value === false || value === '' ? '' : `\`${kind.show(value)}\``;
  return [`\`${flag}\``, description + choices, defaultText ?? byDefault];
}

function commonCells({ flag, description }: { flag: string; description: string }): string[] {
  return [`\`${flag}\``, description];
}

function argumentCells({ name, description, default: value, defaultText }: ArgumentRow): string[] {
  return [`\`${name}\``, description, defaultText ?? (value === undefined ? '' : `\`${value}\``)];
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), `|${head.map(() => '---|').join('')}`, ...rows.map(line)].join('\n');
}

function examplesText(examples: readonly Example[]): string {
  const width = Math.max(...examples.map(([command]) => command.length));
  return examples.map(([command, does]) => `    npx ${command.padEnd(width)}   ${does}`).join('\n');
}

function sentence(text: string): string {
  return `${text[0].toUpperCase()}${text.slice(1)}${text.endsWith('.') ? '' : '.'}`;
}
