/**
 * Checks the public layers with the command `grad-check`, calls each package at its witnesses, and prints the section "Public layers" of
 * docs/any-layer.md. It fails if verdicts and witnesses do not fit together.
 *
 *   npm ci --ignore-scripts && npm run table -- [--write]
 */
import { execFile } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { createJiti } from 'jiti';
import { Tensor } from '../../src/core/tensor.js';
import type { Layer, LayerContext } from '../../src/gradcheck.js';
import { type Found, flat, HEADING, near, pageSection, SECTIONS, shapeOf, type Verdict, type Verdicts } from './page.js';
import { type Value, WITNESSES, type Witness } from './witnesses.js';

const path = (file: string) => fileURLToPath(new URL(file, import.meta.url));
const PAGE = path('../../docs/any-layer.md');

const problems: string[] = [];

/** Runs the command on a file. */
async function verdictsOf(file: string): Promise<[string, Verdict][]> {
  const args = [path('../../bin/backprop-ninja.js'), 'grad-check', path(`${file}.ts`), '--json'];
  const { stdout } = await promisify(execFile)(process.execPath, args, { maxBuffer: 2 ** 28 }).catch((error: { stdout?: string }) => {
    if (!error.stdout) throw error;
    return { stdout: error.stdout };
  });
  const { layers } = JSON.parse(stdout) as { layers: Verdict[] };
  return layers.map((layer) => [`${file}.${layer.name}`, layer]);
}

const jiti = createJiti(import.meta.url, { alias: { 'backprop-ninja/gradcheck': path('../../src/gradcheck.ts') } });

const toInput = (value: Value) => (Array.isArray(value) ? new Tensor(Float64Array.from(flat(value)), shapeOf(value)) : value);

/** The gradient that the package gives at a witness. */
async function gradientAt(name: string, { sizes = {}, train = true, inputs, dout, of }: Witness): Promise<number[]> {
  const [file = '', layerName = ''] = name.split('.');
  const layer = (await jiti.import<Record<string, Layer>>(`./${file}.ts`))[layerName];
  if (!layer) throw new Error(`${file}.ts has no layer ${layerName}.`);
  const values = Object.fromEntries(Object.entries(inputs).map(([input, value]) => [input, toInput(value)]));
  const context: LayerContext = { sizes, train, saved: {}, outputs: undefined, random: () => 0.5, gradients: {} };
  const y = await layer.forward(values as never, context);
  const shaped = typeof y === 'object' && !Array.isArray(y);
  const numbers = shaped ? { data: Float64Array.from(flat(dout)), shape: (y as Tensor).shape } : dout;
  const gradients = (await layer.backward(numbers as never, values as never, { ...context, outputs: y as never })) as Record<
    string,
    unknown
  >;
  return flat(gradients[of]);
}

const sameNumbers = (a: number[], b: number[]) => a.length === b.length && a.every((x, i) => near(x, b[i] ?? Number.NaN));

/** Calls the packages at all witnesses. */
async function confirm(verdicts: Verdicts): Promise<Found> {
  const found: Found = new Map();
  for (const witness of WITNESSES) {
    for (const name of witness.layers) {
      const gives = await gradientAt(name, witness);
      const verdict = verdicts.get(name);
      if (sameNumbers(gives, witness.right)) problems.push(`${name} gives the right gradient at its witness`);
      const other = found.get(witness);
      if (other && !sameNumbers(gives, other) && !gives.every(Number.isNaN)) problems.push(`${name} differs from ${witness.layers[0]}`);
      if (!verdict || verdict.ok || verdict.refused) problems.push(`${name} is wrong at its witness, but not for the checker`);
      found.set(witness, gives);
    }
  }
  const witnessed = new Set(WITNESSES.flatMap(({ layers }) => layers));
  for (const [name, { ok, refused }] of verdicts) {
    if (!ok && !refused && !witnessed.has(name)) problems.push(`${name} is wrong, and has no witness`);
    if (refused && refused.id !== 'threw') problems.push(`${name} was not judged: ${refused.text}`);
  }
  return found;
}

const { values: options } = parseArgs({ options: { write: { type: 'boolean', default: false } } });
const verdicts: Verdicts = new Map();
for (const file of SECTIONS.flatMap(({ files }) => files))
  for (const [name, verdict] of await verdictsOf(file)) verdicts.set(name, verdict);
const found = await confirm(verdicts);
const text = pageSection(verdicts, found);
if (options.write) {
  const page = existsSync(PAGE) ? readFileSync(PAGE, 'utf8') : '';
  const before = page.split(HEADING)[0]?.trimEnd() ?? '';
  writeFileSync(PAGE, before ? `${before}\n\n${text}` : text);
} else {
  process.stdout.write(text);
}
for (const problem of problems) process.stderr.write(`${problem}\n`);
process.exitCode = problems.length > 0 ? 1 : 0;
