import { resolve } from 'node:path';
import { namingFile, UsageError } from '../../core/errors.js';
import { choice, decimalNumber, text, wholeNumber, wholeNumberOrAll } from '../../core/kinds.js';
import type { OptionRow } from '../../core/optionRow.js';
import { checkAgainst } from '../../gradCheck/against.js';
import { checkPart } from '../../gradCheck/gradCheck.js';
import { CHECK_DEFAULTS, checkStep, EPS_RANGE, MOST_TOLERANCE, PARTS } from '../../gradCheck/options.js';
import { GRADIENT_NAMES } from '../../lesson/exercise1.js';
import { createWasmBackend } from '../../node/kernels.js';
import { readSafetensorsFile } from '../../node/safetensorsFile.js';
import { DEFAULT_SEED, MAX_SEED } from '../../training/options.js';
import { type CommandContext, defineCommand } from '../command.js';
import { EXIT_NO } from '../terminal/exitCodes.js';
import { printChecks, printComparison, verdictLine } from './gradCheckTables.js';

const OPTIONS = [
  { key: 'part', flag: '--part <name...>', description: 'parts to check', defaultText: 'all', kind: choice(PARTS), repeatable: true },
  {
    key: 'eps',
    flag: '--eps <h>',
    description: 'step of the differences, relative to the scale on which the network bends',
    kind: decimalNumber(...EPS_RANGE),
    default: CHECK_DEFAULTS.eps,
  },
  {
    key: 'tolerance',
    flag: '--tolerance <t>',
    description: 'largest relative difference of a tensor',
    kind: decimalNumber(0, MOST_TOLERANCE, 'open'),
    default: CHECK_DEFAULTS.tolerance,
  },
  {
    key: 'entries',
    flag: '--entries <count>',
    description: 'entries to check per tensor, or all',
    kind: wholeNumberOrAll(1, 1_000_000_000),
    default: CHECK_DEFAULTS.entries as number | 'all',
  },
  {
    key: 'seed',
    flag: '--seed <number>',
    description: 'seed of parameters, batches and entries',
    kind: wholeNumber(0, MAX_SEED),
    default: DEFAULT_SEED,
  },
  {
    key: 'against',
    flag: '--against <file>',
    description: 'check gradients from elsewhere: a safetensors file with parameters, Xb, Yb and d… tensors',
    kind: text,
  },
] as const satisfies readonly OptionRow[];

export const gradCheck = defineCommand({
  description: 'Compares every hand-written gradient with finite differences.',
  options: OPTIONS,
  examples: [
    ['backprop-ninja grad-check', 'all parts, in a few seconds'],
    ['backprop-ninja grad-check --part atomic --entries all', 'every entry of the 26 gradients'],
    ['backprop-ninja grad-check --against mine.safetensors', "for example PyTorch's gradients, against ours"],
  ],
  async run(context) {
    const { against } = context.options;
    const passed = against === undefined ? await checkOwnGradients(context) : await checkFile(against, context);
    return passed ? 0 : EXIT_NO;
  },
});

type Context = CommandContext<(typeof OPTIONS)[number]>;

/** The smallest known mistake is off by 6e-5 of the largest entry. */
const VISIBLE = 1e-5;

/** Prints each part as soon as it is checked. @returns whether every row passed */
async function checkOwnGradients({ io, json, options, given, paint, printJson }: Context): Promise<boolean> {
  const start = io.now();
  const backendOnly = options.part?.every((part) => part === 'backend') ?? false;
  if (!backendOnly) checkStep(options);
  if (!backendOnly && options.tolerance > VISIBLE) {
    io.stderr.write(
      `note: with --tolerance ${options.tolerance}, a gradient that is wrong by less passes; the default is ${CHECK_DEFAULTS.tolerance}\n`,
    );
  }
  const styles = await paint();
  const rows = (options.part ?? PARTS).flatMap((part) => {
    const rowsOfPart = checkPart(part, options, createWasmBackend);
    if (!json) printChecks(rowsOfPart, io, styles);
    return rowsOfPart;
  });
  const ok = rows.every((row) => row.ok);
  const unused = (['eps', 'tolerance', 'entries'] as const).filter((option) => option in given);
  if (backendOnly && unused.length > 0) {
    const flags = unused.map((option) => `--${option}`).join(', ');
    io.stderr.write(`note: ${flags} ${unused.length === 1 ? 'has' : 'have'} no effect on --part backend, which compares every entry\n`);
  }
  if (json) printJson({ ok, tensors: rows });
  else io.stdout.write(`\n${verdictLine(rows, styles)} in ${((io.now() - start) / 1000).toFixed(1)} s\n`);
  return ok;
}

/** @returns whether every tensor of the file is known and right */
async function checkFile(file: string, { io, json, given, paint, printJson }: Context): Promise<boolean> {
  const unused = (['part', 'eps', 'tolerance', 'entries', 'seed'] as const).find((option) => option in given);
  if (unused !== undefined) throw new UsageError(`--${unused} cannot be used with --against, which checks every tensor in the file`);
  const content = readSafetensorsFile(resolve(io.cwd, file), file);
  const report = namingFile(file, () => checkAgainst(content));
  const { ok, rows, absent, notCompared } = report;
  if (json)
    printJson({ ok, compared: GRADIENT_NAMES.length - absent.length, of: GRADIENT_NAMES.length, absent, notCompared, tensors: rows });
  else printComparison(report, io, await paint());
  return ok;
}
