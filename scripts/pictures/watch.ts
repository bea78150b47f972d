/**
 * docs/pictures/watch.svg: the screen of `exercise watch` in a terminal, in colour.
 *
 * Lays out a learner's folder, writes the first lines of Exercise 1 into it, one of them with a mistake, runs the program in a
 * pseudo-terminal (`script`, from bsdutils) until the report is complete, and draws the screen.
 *
 *     npm run build && npm run pictures
 */
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { escapeXml, MONOSPACE, ROOT, writePicture } from './svg.js';

const COLUMNS = 100;
/** Too few for all 26 lines, so the program collapses some into counts. */
const ROWS = 18;

/** The learner's lines; dcounts lacks the branch through counts_sum. */
const LINES: Record<string, string> = {
  dlogprobs: 'Tensor.oneHot(Yb, logprobs.shape[1]).div(-n)',
  dprobs: 'probs.pow(-1).mul(dlogprobs)',
  dcounts_sum_inv: 'counts.mul(dprobs).sum(1, { keepdim: true })',
  dcounts_sum: 'counts_sum.pow(-2).neg().mul(dcounts_sum_inv)',
  dcounts: 'counts_sum_inv.mul(dprobs)',
  dnorm_logits: 'counts.mul(dcounts)',
};

const MAIN = join(ROOT, 'dist', 'cli', 'main.js');
/** The last line that the program draws shows its keys. */
const COMPLETE = /q quit\r\n/;
/** Time after which a program that never completes its report is ended. */
const LIMIT_MS = 60_000;

/** Runs a command of the program in a terminal, until its output is complete, and returns all of it. */
async function runInTerminal(cwd: string, command: string): Promise<string> {
  const line = `stty cols ${COLUMNS} rows ${ROWS}; exec '${process.execPath}' '${MAIN}' ${command}`;
  const { NO_COLOR: _, npm_command: __, ...env } = process.env;
  const child = spawn('script', ['-qfec', line, '/dev/null'], {
    cwd,
    env: { ...env, SHELL: '/bin/sh', TERM: 'xterm', FORCE_COLOR: '1' },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
    if (COMPLETE.test(output)) child.stdin.write('q');
  });
  const timer = setTimeout(() => child.kill(), LIMIT_MS);
  await new Promise((resolve) => child.on('close', resolve));
  clearTimeout(timer);
  if (!COMPLETE.test(output)) throw new Error(`the program did not draw its keys; it wrote ${JSON.stringify(output)}`);
  return output;
}

/** A stretch of a line in one style. */
interface Run {
  column: number;
  text: string;
  style: string;
}

const STYLES: Record<string, string> = { 1: 'bold', 2: 'dim', 31: 'red', 32: 'green' };

/** The screen after the output: clearing, erasing a line and the styles that the program uses. */
function screen(output: string): Run[][] {
  let lines: Run[][] = [[]];
  let column = 0;
  let style = '';
  // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are what this reads.
  for (const [token] of output.matchAll(/\x1b\[[\d;]*[A-Za-z]|\r|\n|[^\x1b\r\n]+/g)) {
    if (token === '\x1b[2J' || token === '\x1b[H') {
      lines = [[]];
      column = 0;
    } else if (token === '\x1b[K') lines[lines.length - 1] = lines[lines.length - 1].filter((run) => run.column < column);
    else if (token === '\r') column = 0;
    else if (token === '\n') lines.push([]);
    else if (token.startsWith('\x1b')) style = STYLES[token.slice(2, -1)] ?? '';
    else {
      lines[lines.length - 1].push({ column, text: token, style });
      column += [...token].length;
    }
  }
  return lines;
}

const FONT_SIZE = 13;
/** Width of a character: 0.602 of the size in these fonts. */
const CHARACTER = 0.602 * FONT_SIZE;
const LINE = 20;
const PADDING = 18;
/** Height of the title bar. */
const BAR = 32;

/** Each word at its own place: a reader's font may be narrower or wider. */
function drawRun({ column, text, style }: Run, y: number): string[] {
  return [...text.matchAll(/\S+(?: \S+)*/g)].map((words) => {
    const start = column + [...text.slice(0, words.index)].length;
    const length = [...words[0]].length;
    const [x, width] = [PADDING + start * CHARACTER, length * CHARACTER].map((size) => size.toFixed(1));
    return `<text x="${x}" y="${y}" textLength="${width}"${style && ` class="${style}"`}>${escapeXml(words[0])}</text>`;
  });
}

const folder = mkdtempSync(join(tmpdir(), 'pictures-'));
try {
  execFileSync(process.execPath, [MAIN, 'exercise', 'start'], { cwd: folder });
  const file = join(folder, 'dojo', 'exercise1.ts');
  let source = readFileSync(file, 'utf8');
  for (const [name, code] of Object.entries(LINES)) {
    const stub = new RegExp(`(\n  ${name}: .*=> )todo\\(\\)`);
    if (!stub.test(source)) throw new Error(`no line ${name} in ${file}`);
    source = source.replace(stub, `$1${code}`);
  }
  writeFileSync(file, source);
  const command = 'exercise watch 1';
  const lines = screen(await runInTerminal(folder, command));
  while (lines.at(-1)?.length === 0) lines.pop();
  const width = Math.ceil(2 * PADDING + COLUMNS * CHARACTER);
  const height = BAR + lines.length * LINE + PADDING;
  writePicture('watch.svg', {
    width,
    height,
    title: `A terminal with 'backprop-ninja ${command}': five lines of Exercise 1 are right, and one is wrong and named`,
    colors: {
      background: { light: '#ffffff', dark: '#0d1117' },
      bar: { light: '#f6f8fa', dark: '#171d26' },
      border: { light: '#d1d9e0', dark: '#3d444d' },
      text: { light: '#1f2328', dark: '#e6edf3' },
      dim: { light: '#6e7781', dark: '#8b949e' },
      red: { light: '#cf222e', dark: '#ff7b72' },
      green: { light: '#1a7f37', dark: '#3fb950' },
    },
    style: `
text { font: ${FONT_SIZE}px ${MONOSPACE}; fill: var(--text); white-space: pre; }
.window { fill: var(--background); stroke: var(--border); }
.bar { fill: var(--bar); }
.rule { stroke: var(--border); }
.bold { font-weight: 700; }
.dim { fill: var(--dim); }
.red { fill: var(--red); }
.green { fill: var(--green); }
.command { fill: var(--dim); text-anchor: middle; }
`,
    body: [
      `<clipPath id="window"><rect x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="9"/></clipPath>`,
      `<rect class="window" x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="9"/>`,
      `<rect class="bar" clip-path="url(#window)" x="1" y="1" width="${width - 2}" height="${BAR - 1}"/>`,
      `<path class="rule" d="M1 ${BAR}.5H${width - 1}"/>`,
      `<text class="command" x="${width / 2}" y="21">npx backprop-ninja ${command}</text>`,
      ...lines.flatMap((runs, i) => runs.flatMap((run) => drawRun(run, BAR + (i + 1) * LINE + 4))),
    ],
  });
} finally {
  rmSync(folder, { recursive: true, force: true });
}
