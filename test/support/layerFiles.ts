/** Files of layers, and what the command says about them. */
import type { InputRow, LayerReport } from '../../src/gradCheck/anyLayer/report.js';
import { type Outcome, runCli } from './fakeIO.js';
import { put, tempDirectory } from './tempDirectory.js';

export const IMPORT = "import { defineLayer } from 'backprop-ninja/gradcheck';\n";
const INPUTS = 'inputs: ({ n }, draw) => ({ x: draw.normal(n) }),';
const SQUARE = 'forward: ({ x }) => x.data.map((v) => v * v),';

/** An export: y = x², with a right backward pass unless another is given. `top` runs first in forward. */
export function squareLayer(name: string, { top = '', backward = '2 * x.data[i] * v' } = {}): string {
  const forward = top === '' ? SQUARE : `forward: ({ x }) => { ${top}; return x.data.map((v) => v * v); },`;
  const body = `({ x: dout.map((v, i) => ${backward}) })`;
  return `export const ${name} = defineLayer({ sizes: { n: [2] }, ${INPUTS} ${forward} backward: (dout, { x }) => ${body} });\n`;
}

export const RIGHT = squareLayer('square');
export const DOUBLE = squareLayer('double', { backward: '4 * x.data[i] * v' });

export interface LayersDocument {
  ok: boolean;
  layers: (Omit<LayerReport, 'tried'> & { file: string; inputs: InputRow[] })[];
}

/** A directory with these files. */
export function folderOf(files: Record<string, string>): string {
  const cwd = tempDirectory();
  for (const [name, text] of Object.entries(files)) put(cwd, name, text);
  return cwd;
}

/** Runs grad-check in a directory with one file, layer.ts. */
export function checkText(text: string, ...argv: string[]): Promise<Outcome> {
  return runCli(folderOf({ 'layer.ts': IMPORT + text }), ['grad-check', 'layer.ts', ...argv]);
}

/** The same, as JSON. */
export async function reportsOn(text: string, ...argv: string[]): Promise<LayersDocument & Outcome> {
  const outcome = await checkText(text, '--json', ...argv);
  return { ...outcome, ...(JSON.parse(outcome.stdout) as LayersDocument) };
}
