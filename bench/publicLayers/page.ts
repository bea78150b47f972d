/** The section "Public layers" of docs/any-layer.md as text. */
import { readFileSync } from 'node:fs';
import type { LayerReport } from 'backprop-ninja/gradcheck';
import { type NestedValue, type Value, WITNESSES, type Witness } from './witnesses.js';

export const HEADING = '## Public layers';

interface Section {
  /** Names of the packages in package.json. With two, each file is of the package in its place. */
  packages: string[];
  files: string[];
  about: string;
}

export const SECTIONS: Section[] = [
  {
    packages: ['brain.js', 'brain.js-beta'],
    files: ['brainJs', 'brainJsBeta'],
    about:
      'Operations of recurrent networks over T time steps that share a parameter, whole recurrent networks up to their logits, and feed-forward networks.',
  },
  { packages: ['convnetjs'], files: ['convnetjs'], about: 'Every layer.' },
  {
    packages: ['@tensorflow/tfjs'],
    files: ['tfjsElementwise', 'tfjsReduction', 'tfjsShape', 'tfjsNeural', 'tfjsLoss'],
    about:
      'Operations with a gradient of their own, on the cpu backend. Where there is no derivative, at (0, 0), `atan2` gives NaN. The forward pass of `erf` is an approximation, and its gradient that of erf itself: they differ by 6e-6.',
  },
  {
    packages: ['@jax-js/jax'],
    files: ['jaxJs'],
    about:
      'Operations with derivative rules of their own, and functions made of them, in float64 on the cpu backend. The forward pass of `erf` and `erfc` is an approximation, as that of TensorFlow.js.',
  },
  {
    packages: ['neataptic'],
    files: ['neataptic'],
    about:
      'Activations, and a perceptron whose weights change after all examples (`Batch`) or after each one (`Online`, as `train` has it).',
  },
  { packages: ['synaptic'], files: ['synaptic'], about: 'Squashing functions, and a perceptron.' },
  {
    packages: ['ml-fnn'],
    files: ['mlFnn'],
    about:
      'A network with one hidden layer. The option `activation` of the constructor always ends as tanh; the other activations are reached by `load`.',
  },
  { packages: ['toygrad'], files: ['toygrad'], about: 'Every layer.' },
  { packages: ['@nlpjs/neural'], files: ['nlpjs'], about: 'The perceptron, half its squared error for the target 0.9.' },
  { packages: ['@keckelt/tsne'], files: ['tsne'], about: 'The cost of t-SNE from step 100 on.' },
];

/** A layer's verdict. */
export type Verdict = Pick<LayerReport, 'name' | 'ok' | 'refused'>;
export type Verdicts = Map<string, Verdict>;
/** What a package gives at a witness. */
export type Found = Map<Witness, number[]>;

/** The dimensions of nested numbers. */
export function shapeOf(value: Value): number[] {
  return Array.isArray(value) ? [value.length, ...shapeOf(value[0] ?? [])] : [];
}

/** The numbers of a value in any container. */
export function flat(value: unknown): number[] {
  if (typeof value === 'number') return [value];
  if (Array.isArray(value)) return value.flatMap(flat);
  return ArrayBuffer.isView(value) ? [...(value as Float64Array)] : flat((value as { data: unknown }).data);
}

/** Whether two numbers are the same but for rounding. */
export const near = (a: number, b: number) => Math.abs(a - b) <= 1e-6 * Math.max(1, Math.abs(b));

const { dependencies } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  dependencies: Record<string, string>;
};
const version = (name: string) => (dependencies[name] ?? '').split('@').at(-1) ?? '';
const fileOf = (name: string) => name.split('.')[0] ?? '';
const exported = (name: string) => name.split('.')[1] ?? name;
const code = (text: string) => `\`${text}\``;

/** A number with 4 significant digits, or 7 where these do not tell it from the other. */
const digits = (x: number, other: number) =>
  String(Number(x.toPrecision(x.toPrecision(4) === other.toPrecision(4) && !near(x, other) ? 7 : 4)));

/** What the package gives and what is right: all entries, or the first that differs. */
function entries(gives: number[], right: number[], shape: number[]): [string, string] {
  if (gives.length <= 6)
    return [gives.map((x, i) => digits(x, right[i] ?? x)).join(' '), right.map((x, i) => digits(x, gives[i] ?? x)).join(' ')];
  const at = gives.findIndex((x, i) => !near(x, right[i] ?? Number.NaN));
  const strides = shape.map((_, dim) => shape.slice(dim + 1).reduce((product, size) => product * size, 1));
  const place = ` at ${strides.map((stride, dim) => Math.floor(at / stride) % (shape[dim] ?? 1)).join(', ')}`;
  return [digits(gives[at] ?? 0, right[at] ?? 0) + place, digits(right[at] ?? 0, gives[at] ?? 0) + place];
}

function numbersOf(value: Value): string {
  const numbers = flat(value);
  const first = numbers[0] ?? 0;
  const shape = shapeOf(value);
  const dims = shape.length > 1 && numbers.length > 1 ? ` [${shape.join(', ')}]` : '';
  const same = numbers.every((x) => x === first);
  if (same && numbers.length > 3) return `${dims} = ${first} everywhere`;
  return `${dims} = ${numbers.length <= 12 ? numbers.map((x) => digits(x, x + 1)).join(' ') : `${numbers.slice(0, 3).join(' ')} … ${numbers.at(-1)}`}`;
}

function inputsOf({ inputs, shown, dout, train = true }: Witness): string {
  const values =
    shown ??
    Object.entries(inputs)
      .map(([name, value]) => name + numbersOf(value))
      .join(', ');
  const isOne = flat(dout).every((x) => x === 1);
  return `${values}${isOne ? '' : `, dout = ${flat(dout).join(' ')}`}${train ? '' : ', in evaluation'}`;
}

/** The names, and the version where only one of two has it. */
function listed(section: Section, names: string[]): string {
  const counts = new Map<string, string[]>();
  for (const name of names) counts.set(exported(name), [...(counts.get(exported(name)) ?? []), name]);
  return [...counts].map(([short, all]) => code(short) + onlyIn(section, all)).join(', ');
}

function onlyIn({ packages, files }: Section, names: string[]): string {
  if (packages.length === 1 || names.length === packages.length) return '';
  const index = files.findIndex((file) => names[0]?.startsWith(`${file}.`));
  return ` (${version(packages[index] ?? '')})`;
}

const row = (cells: string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;

function sectionText(section: Section, verdicts: Verdicts, found: Found): string {
  const own = [...verdicts].filter(([name]) => section.files.includes(fileOf(name)));
  const right = own.filter(([, { ok }]) => ok).map(([name]) => name);
  const threw = own.filter(([, { refused }]) => refused);
  const rows = WITNESSES.filter(({ layers }) => layers.some((name) => section.files.includes(fileOf(name)))).map((witness) => {
    const shape = shapeOf(witness.inputs[witness.of] as NestedValue);
    const names = witness.layers.filter((name) => section.files.includes(fileOf(name)));
    return row([
      listed(section, names),
      inputsOf(witness),
      witness.of,
      ...entries(found.get(witness) ?? [], witness.right, shape),
      witness.because,
    ]);
  });
  const title = section.packages.map((name, i) => (i === 0 ? `${name} ${version(name)}` : version(name))).join(' and ');
  const errors = threw.map(
    ([name, { refused }]) => `- ${code(exported(name))}: ${refused?.text.replace(/^backward threw (\w*Error: )?/, '')}`,
  );
  return [
    `### ${title}`,
    section.about,
    ...(right.length > 0 ? [`Right: ${listed(section, right)}.`] : []),
    ...(rows.length > 0
      ? [[row(['wrong', 'input', 'gradient of', 'it gives', 'right', 'because']), row(Array(6).fill('---')), ...rows].join('\n')]
      : []),
    ...(errors.length > 0 ? [`An error in place of a gradient:`, errors.join('\n')] : []),
  ].join('\n\n');
}

function overview(verdicts: Verdicts): string {
  const rows = SECTIONS.flatMap(({ packages, files }) =>
    packages.map((name, i) => {
      const own = [...verdicts].filter(([layer]) => (packages.length > 1 ? [files[i]] : files).includes(fileOf(layer)));
      const count = (test: (verdict: Verdict) => boolean) => String(own.filter(([, verdict]) => test(verdict)).length);
      const label = (dependencies[name] ?? '').startsWith('npm:') ? packages[0] : name;
      return row([
        `${label} ${version(name)}`,
        count(({ ok }) => ok),
        count(({ ok, refused }) => !ok && !refused),
        count(({ refused }) => Boolean(refused)),
      ]);
    }),
  );
  return [row(['package', 'right', 'wrong', 'an error']), row(Array(4).fill('---')), ...rows].join('\n');
}

const INTRODUCTION = `These packages on npm ship backward passes that were written by hand. [bench/publicLayers](../bench/publicLayers) has a
specification for each of their layers, checks them with \`grad-check\`, and writes this section. *Right* means that a gradient fits
the package's own forward pass. In the tables of what is wrong, *it gives* is what the package returns at that input. What is right there
does not come from the checker: it is worked out by hand beside it. The gradient of the output is 1 everywhere, unless a row gives \`dout\`.`;

/** The section, with the figures of a run. */
export function pageSection(verdicts: Verdicts, found: Found): string {
  const sections = SECTIONS.map((section) => sectionText(section, verdicts, found));
  return `${[HEADING, INTRODUCTION, overview(verdicts), ...sections].join('\n\n')}\n`;
}
