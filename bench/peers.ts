/**
 * Compares a training step of this program with plain C and PyTorch: one core each, in turns, in one run. Prints one table of times and
 * ratios. It needs gcc (Debian: gcc libc6-dev) and a Python with PyTorch (Debian: python3-torch libopenblas0-pthread), and leaves out a
 * peer that is missing.
 *
 *   npm run bench -- [--rounds 5] [--python /usr/bin/python3] [--c step.c] [--torch torch_step.py] [--torch-mode autograd]
 *
 * --c and --torch name other peers: a C program that takes -DH, -DB and a number of steps, or a Python program that takes NAMES H N STEPS
 * MODE. The script reads the numbers before "us/step" and takes the smallest. --torch-mode manual times the lesson's own
 * gradients instead of autograd.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const path = (file: string) => fileURLToPath(new URL(file, import.meta.url));
const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    python: { type: 'string', default: '/usr/bin/python3' },
    c: { type: 'string', default: path('step.c') },
    torch: { type: 'string', default: path('torch_step.py') },
    'torch-mode': { type: 'string', default: 'autograd' },
  },
});

const SIZES: [H: number, n: number][] = [
  [64, 32],
  [200, 32],
  [200, 128],
  [200, 1024],
  [1024, 256],
];
const directory = mkdtempSync(join(tmpdir(), 'backprop-ninja-'));

/** Microseconds per step, from the best round of one run of the peer; undefined if it cannot run here. */
function measure(command: string, args: string[]): number | undefined {
  try {
    const text = execFileSync(command, args, {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      env: { ...process.env, OMP_NUM_THREADS: '1' },
    });
    const rounds = [...text.matchAll(/([\d.]+) us\/step/g)].map((match) => Number(match[1]));
    return rounds.length > 0 ? Math.min(...rounds) : undefined;
  } catch {
    return undefined;
  }
}

/** A number of steps that takes about a second. */
function stepsFor(H: number, n: number): number {
  return Math.max(50, Math.round(1e8 / (n * (H + 100))));
}

function ours(H: number, n: number): number {
  const args = [
    path('../dist/cli/main.js'),
    'bench',
    '--json',
    '--backend',
    'wasm',
    '--hidden',
    String(H),
    '--batch-size',
    String(n),
    '--seconds',
    '2',
  ];
  const { backends } = JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' }));
  return backends[0].microsecondsPerStep;
}

function plainC(H: number, n: number): number | undefined {
  const program = join(directory, `step-${H}-${n}`);
  try {
    execFileSync('gcc', ['-O3', '-march=native', '-ffast-math', `-DH=${H}`, `-DB=${n}`, options.c, '-o', program, '-lm'], {
      stdio: 'ignore',
    });
  } catch {
    return undefined;
  }
  return measure(program, [String(stepsFor(H, n))]);
}

function pytorch(H: number, n: number): number | undefined {
  return measure(options.python, [
    options.torch,
    path('../data/names.txt'),
    String(H),
    String(n),
    String(Math.ceil(stepsFor(H, n) / 10)),
    options['torch-mode'],
  ]);
}

function median(values: (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined).sort((a, b) => a - b);
  return known.length === values.length ? known[Math.floor(known.length / 2)] : undefined;
}

const show = (value: number | undefined, digits: number, unit = '') =>
  (value === undefined ? '-' : `${value.toFixed(digits)}${unit}`).padStart(12);

process.stdout.write(
  `${'H'.padStart(6)}${'n'.padStart(6)}${'ours, us'.padStart(12)}${'C, us'.padStart(12)}${'ours / C'.padStart(12)}${'PyTorch, us'.padStart(12)}${'PyTorch/ours'.padStart(13)}\n`,
);
try {
  for (const [H, n] of SIZES) {
    // In turns, so that a change in the machine's speed affects all three. Each ratio is the median over the rounds.
    const rounds = Array.from({ length: Number(options.rounds) }, () => ({ own: ours(H, n), c: plainC(H, n), torch: pytorch(H, n) }));
    const ratioC = median(rounds.map(({ own, c }) => c && own / c));
    const ratioTorch = median(rounds.map(({ own, torch }) => torch && torch / own));
    const cells = [
      show(median(rounds.map(({ own }) => own)), 1),
      show(median(rounds.map(({ c }) => c)), 1),
      show(ratioC, 2),
      show(median(rounds.map(({ torch }) => torch)), 1),
      show(ratioTorch, 1, 'x'),
    ];
    process.stdout.write(`${String(H).padStart(6)}${String(n).padStart(6)}${cells.join('')}\n`);
  }
} finally {
  rmSync(directory, { recursive: true });
}
