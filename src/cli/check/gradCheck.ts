import { UsageError } from '../../core/errors.js';
import { choice, decimalNumber, flag, text, wholeNumber, wholeNumberOr } from '../../core/kinds.js';
import { flagName, type OptionRow } from '../../core/optionRow.js';
import { checkPart } from '../../gradCheck/gradCheck.js';
import { CHECK_DEFAULTS, EPS_RANGE, PARTS, TOLERANCE_RANGE } from '../../gradCheck/options.js';
import { createWasmBackend } from '../../node/kernels.js';
import { DEFAULT_SEED, MAX_SEED } from '../../training/options.js';
import { type CommandContext, defineCommand } from '../command.js';
import { EXIT_NO } from '../terminal/exitCodes.js';
import { printChecks, verdictLine } from './gradCheckTables.js';

/** Options of the check of the program's own gradients. */
const OWN = "The program's own gradients:";
/** Options of the check of a file of gradients. */
const FILE = 'Gradients from elsewhere:';
/** Options of the check of layers in files. */
const LAYERS = 'Layers in files:';

const OPTIONS = [
  {
    key: 'seed',
    flag: '--seed <number>',
    description: 'seed of everything that is drawn',
    kind: wholeNumber(0, MAX_SEED),
    defaultText: `${DEFAULT_SEED}; 0 for layers in files, as in the library`,
  },
  {
    key: 'part',
    flag: '--part <name...>',
    description: 'parts to check',
    group: OWN,
    defaultText: 'all',
    kind: choice(PARTS),
    repeatable: true,
  },
  {
    key: 'eps',
    flag: '--eps <h>',
    description: 'largest step of the differences, halved until two agree',
    group: OWN,
    kind: decimalNumber(...EPS_RANGE),
    default: CHECK_DEFAULTS.eps,
  },
  {
    key: 'tolerance',
    flag: '--tolerance <t>',
    description: 'largest difference, relative to the largest entry of the tensor',
    group: OWN,
    kind: decimalNumber(...TOLERANCE_RANGE),
    default: CHECK_DEFAULTS.tolerance,
  },
  {
    key: 'entries',
    flag: '--entries <count>',
    description: 'entries to check per tensor, or all',
    group: OWN,
    kind: wholeNumberOr('all', 1, 1_000_000_000),
    default: CHECK_DEFAULTS.entries as number | 'all',
  },
  {
    key: 'against',
    flag: '--against <file>',
    description: 'judge gradients from elsewhere line by line: a safetensors file with parameters, Xb, Yb and d… tensors',
    group: FILE,
    kind: text,
  },
  { key: 'all', flag: '--all', description: 'fail if a gradient is absent, too', group: FILE, kind: flag },
  { key: 'html', flag: '--html', description: 'print an HTML fragment, for a notebook', group: FILE, kind: flag },
  {
    key: 'only',
    flag: '--only <name>',
    description: 'check this layer alone; may be repeated',
    group: LAYERS,
    defaultText: 'all layers',
    kind: text,
    repeatable: true,
  },
  { key: 'float32', flag: '--float32', description: 'judge in float32, as the code runs; the limits are wider', group: LAYERS, kind: flag },
  { key: 'watch', flag: '--watch', description: 'check at every save', group: LAYERS, kind: flag },
  { key: 'example', flag: '--example', description: 'print a file with a layer to start from', group: LAYERS, kind: flag },
] as const satisfies readonly OptionRow[];

export const gradCheck = defineCommand({
  description: "Compares hand-written gradients with finite differences: the program's own, or those of the layers that your files export.",
  arguments: [
    {
      name: '[files...]',
      description: 'TypeScript or JavaScript files that export layers',
      defaultText: "the program's own gradients",
    },
  ],
  options: OPTIONS,
  examples: [
    ['backprop-ninja grad-check', 'all parts of the program, in a few seconds'],
    ['backprop-ninja grad-check --part atomic --entries all', 'every entry of the 26 gradients'],
    ['backprop-ninja grad-check --against mine.safetensors', "which line of a notebook's gradients is wrong, and why"],
    ['backprop-ninja grad-check layer.ts', 'every layer that the file exports'],
    ['backprop-ninja grad-check --example > layer.ts', 'a file with a layer to start from'],
  ],
  async run(context, files: string[]) {
    refuseMixed(files, context);
    const { against, example, watch } = context.options;
    if (example) return (await import('./gradCheckLayers.js')).printExample(context);
    if (watch) return (await import('./watchLayers.js')).watchLayers(files, context.options, context);
    if (files.length > 0) return (await import('./gradCheckLayers.js')).checkLayers(files, context.options, context);
    if (against !== undefined) return (await import('./against.js')).checkFile(against, context.options, context);
    return (await checkOwnGradients(context)) ? 0 : EXIT_NO;
  },
});

/** @throws UsageError for options that do not go with files, or not without */
function refuseMixed(files: readonly string[], { given }: Context): void {
  const rows = OPTIONS.filter(({ key }) => key in given);
  const find = (group: string) => rows.find((row: OptionRow) => row.group === group);
  if (given.example) {
    const other = rows.find(({ key }) => key !== 'example');
    const what = files.length > 0 ? 'no file' : other && `no ${flagName(other)}`;
    if (what !== undefined) throw new UsageError(`--example prints a file with a layer, and takes ${what}`);
    return;
  }
  const [own, ofFile, layers] = [find(OWN), find(FILE), find(LAYERS)];
  if (ofFile && given.against === undefined) {
    throw new UsageError(`${flagName(ofFile)} needs a file of gradients`, {
      hint: 'for example',
      command: `grad-check --against mine.safetensors ${ofFile.flag}`,
    });
  }
  if (files.length > 0 && ofFile) {
    throw new UsageError(`${flagName(ofFile)} is for gradients from elsewhere, and cannot be used with a file of layers`);
  }
  if (files.length > 0 && own) {
    throw new UsageError(`${flagName(own)} is for the program's own gradients, and cannot be used with a file of layers`);
  }
  if (files.length === 0 && layers) {
    throw new UsageError(`${flagName(layers)} needs a file that exports layers`, {
      hint: 'for example',
      command: `grad-check layer.ts ${layers.flag}`,
    });
  }
}

type Context = CommandContext<(typeof OPTIONS)[number]>;

/** The smallest known mistake is off by 6e-5 of the largest entry. */
const VISIBLE = 1e-5;

/** Prints each part as soon as it is checked. @returns whether every row passed */
async function checkOwnGradients({ io, json, options, given, paint, printJson }: Context): Promise<boolean> {
  const start = io.now();
  const backendOnly = options.part?.every((part) => part === 'backend') ?? false;
  if (!backendOnly && options.tolerance > VISIBLE) {
    io.stderr.write(
      `note: with --tolerance ${options.tolerance}, a gradient that is wrong by less passes; the default is ${CHECK_DEFAULTS.tolerance}\n`,
    );
  }
  const styles = await paint();
  const rows = (options.part ?? PARTS).flatMap((part) => {
    const rowsOfPart = checkPart(part, { ...options, seed: options.seed ?? DEFAULT_SEED }, createWasmBackend);
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
