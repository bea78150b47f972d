import { realpathSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { namingFile, UsageError } from '../../core/errors.js';
import { flag, text } from '../../core/kinds.js';
import type { OptionRow } from '../../core/optionRow.js';
import { showPath } from '../../core/text.js';
import type { NameList } from '../../data/nameList.js';
import { hasBatchNorm } from '../../network/parameters.js';
import { loadCheckpoint } from '../../node/checkpointFile.js';
import { checkOutput, writeOutput } from '../../node/outputFile.js';
import { isPageFile, readPage } from '../../node/pageFile.js';
import { PAGE } from '../../node/paths.js';
import { findCheckpoint } from '../../node/runDirectory.js';
import type { Checkpoint } from '../../run/checkpoint.js';
import { fillPage, runData } from '../../run/pageData.js';
import { type CommandContext, defineCommand } from '../command.js';
import { loadOwnNames } from '../data.js';
import { inputsOf } from '../look/exportOptions.js';
import { checkPage, showPage } from '../look/pageOutput.js';
import { formatBytes, formatCountOf } from '../terminal/format.js';
import { type IO, shortPath } from '../terminal/io.js';

const OPTIONS = [
  {
    key: 'run',
    flag: '--run <run>',
    description: 'show the network of this run directory or checkpoint, in a copy of the page',
    kind: text,
  },
  {
    key: 'out',
    flag: '--out <file>',
    description: 'write the page to this file, and open that',
    defaultText: "with --run: page.html in the run's directory",
    kind: text,
  },
  { key: 'data', flag: '--data <file>', description: 'with --run: data set', defaultText: "the run's own", kind: text },
  { key: 'force', flag: '--force', description: 'replace a file that exists', kind: flag },
  { key: 'print', flag: '--print', description: 'print the path of the page, and open nothing', kind: flag },
] as const satisfies readonly OptionRow[];

type OpenContext = CommandContext<(typeof OPTIONS)[number]>;

export const open = defineCommand({
  description:
    'Opens the page in the default browser: every step of the backward pass with its numbers, why each entry is what it is, the proof of it, and the exercises. ' +
    'The page is one file that needs no network. Its path is printed, also where there is no browser.',
  options: OPTIONS,
  examples: [
    ['backprop-ninja open', 'the page'],
    ['backprop-ninja open --run runs/latest', 'the page with the network that you trained'],
    ['backprop-ninja open --out page.html', 'a copy, to send or to put on a web server'],
  ],
  async run({ io, json, options, printJson }: OpenContext) {
    const file = pageOf(options, io);
    await showPage(file, { open: !options.print, json }, { io, printJson });
  },
});

/** The file to open: the packaged page, or the copy that is written. */
function pageOf({ run, out, data, force = false }: OpenContext['options'], io: IO): string {
  if (run !== undefined) return writeRunPage(run, { out, data, force }, io);
  if (data !== undefined) throw new UsageError('--data goes with --run', { hint: 'leave it out, or name a run' });
  const page = readPage();
  if (out === undefined) return PAGE;
  const file = checkPage(out, { force, inputs: [PAGE] }, io);
  writeOutput(file, new TextEncoder().encode(page));
  return file;
}

/** Writes the page with a run's network. Returns its path. */
function writeRunPage(
  run: string,
  { out, data, force }: { out: string | undefined; data: string | undefined; force: boolean },
  io: IO,
): string {
  const path = findCheckpoint(io.cwd, run);
  const checkpoint = loadCheckpoint(path);
  checkNetwork(run, checkpoint);
  const page = readPage();
  const directory = realpathSync(dirname(path));
  const own = join(directory, 'page.html');
  const inputs = [PAGE, ...inputsOf(path, data, io)];
  // A page that was written here before is replaced, as the files of a run are.
  if (out === undefined) checkOutput(own, { option: '--run:', force: force || isPageFile(own), inputs });
  const file = out === undefined ? own : checkPage(out, { force, inputs }, io);
  const names = loadOwnNames(path, checkpoint, data, io);
  if (names) checkNames(run, names);
  const html = namingFile(PAGE, () => fillPage(page, runData(basename(directory), checkpoint, names)));
  writeOutput(file, new TextEncoder().encode(html));
  if (names) io.stderr.write(`note: ${shortPath(file, io)} holds the ${formatCountOf(names.length, 'name')} of the run's data set\n`);
  return file;
}

/** The most bytes of names, and of parameters as float32, that are written into a page. */
const MOST_BYTES = 2 ** 26;

/** @throws UsageError if the page has no room for the names */
function checkNames(run: string, names: NameList): void {
  const bytes = names.text.length;
  if (bytes <= MOST_BYTES) return;
  throw new UsageError(
    `${showPath(run)}: the ${formatCountOf(names.length, 'name')} of its data set take ${formatBytes(bytes)}, the limit of the page is ${formatBytes(MOST_BYTES)}`,
    { hint: 'train on a part of them' },
  );
}

/** @throws UsageError unless the page can show the network */
function checkNetwork(run: string, { config, tensors }: Checkpoint): void {
  const { hidden } = config;
  if (!hasBatchNorm(config)) {
    throw new UsageError(`${showPath(run)} has no batch norm (--norm none), the page shows a network that has it`, {
      hint: 'train one',
      command: 'train',
    });
  }
  if (hidden.length !== 1) {
    throw new UsageError(`${showPath(run)} has ${hidden.length} blocks, the page shows a network of one`, {
      hint: 'train one',
      command: 'train --hidden 200',
    });
  }
  const bytes = [...tensors.values()].reduce((sum, { byteLength }) => sum + byteLength, 0);
  if (bytes <= MOST_BYTES) return;
  throw new UsageError(`${showPath(run)}: the network takes ${formatBytes(bytes)}, the limit of the page is ${formatBytes(MOST_BYTES)}`, {
    hint: 'train a smaller one',
    command: 'train --hidden 200',
  });
}
