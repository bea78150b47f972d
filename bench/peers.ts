/**
 * Compares a training step of this program with plain C, PyTorch, jax-js and TensorFlow.js: the same network, parameters and examples.
 * A peer must first give our loss, gradient norm and loss after an update; then all are timed in turns.
 *
 *   npm run bench -- [--only c,torch,jax-js,tfjs,tfjs-cpu] [--sizes 64x32,1024x256] [--threads 1,2] [--rounds 5] [--seconds 1] [--json | --write]
 *
 * It prints two tables in Markdown; --write puts them into docs/performance.md, --json prints every round. A peer that is missing, or that
 * differs, is left out with a line that says why. --python names a Python with PyTorch; --torch-mode manual times the lesson's own
 * gradients instead of autograd; --c and --torch name other programs in the place of step.c and torch_step.py.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { FileContentError, fullMessage, SystemError, UsageError } from '../src/core/errors.js';
import { countOf } from '../src/core/text.js';
import { inProject } from '../test/support/inProject.js';
import { type Entry, measure, type Timing } from './peers/measure.js';
import { LeftOut } from './peers/peer.js';
import type { Size } from './peers/problem.js';
import { PEER_NAMES, PROGRAMS, type Programs } from './peers/programs.js';
import { labelOf, tables } from './peers/table.js';

const PAGE = inProject('docs/performance.md');
const MARKERS = ['<!-- peers: written by npm run bench -- --write -->\n', '<!-- end of peers -->\n'] as const;

const OPTIONS = {
  only: { type: 'string', default: PEER_NAMES.slice(1).join(',') },
  sizes: { type: 'string', default: '64x32,200x32,200x128,200x1024,1024x256' },
  threads: { type: 'string', default: '1,2' },
  rounds: { type: 'string', default: '5' },
  seconds: { type: 'string', default: '1' },
  json: { type: 'boolean', default: false },
  write: { type: 'boolean', default: false },
  python: { type: 'string', default: '/usr/bin/python3' },
  c: { type: 'string', default: inProject('bench/step.c') },
  torch: { type: 'string', default: inProject('bench/torch_step.py') },
  'torch-mode': { type: 'string', default: 'autograd' },
} as const;

const say = (line: string) => process.stderr.write(`${line}\n`);

/** The command line, checked. Ours is always measured: the others are compared with it. */
function readOptions() {
  const values = parse();
  const list = <T>(name: 'only' | 'sizes' | 'threads' | 'rounds' | 'seconds', expected: string, read: (text: string) => T | undefined) =>
    values[name].split(',').map((text) => {
      const value = read(text);
      if (value === undefined) throw new UsageError(`--${name} is ${values[name]}: expected ${expected}, found '${text}'`);
      return value;
    });
  const count = (text: string) => (/^[1-9]\d{0,5}$/.test(text) ? Number(text) : undefined);
  const size = (text: string): Size | undefined => {
    const [, H, n] = /^([1-9]\d{0,5})x([1-9]\d{0,5})$/.exec(text) ?? [];
    return H && n && Number(n) > 1 ? [Number(H), Number(n)] : undefined;
  };
  return {
    ...values,
    only: list('only', `names out of ${PEER_NAMES.join(', ')}`, (text) => PEER_NAMES.find((name) => name === text)),
    sizes: list('sizes', 'hidden units x batch size, such as 200x32', size),
    threads: list('threads', 'numbers of threads', count),
    rounds: list('rounds', 'a number of rounds', count)[0] as number,
    seconds: list('seconds', 'seconds', (text) => (Number(text) > 0 ? Number(text) : undefined))[0] as number,
  };
}

function parse() {
  try {
    return parseArgs({ options: OPTIONS }).values;
  } catch (error) {
    throw new UsageError((error as Error).message.split('.')[0] ?? '', { cause: error });
  }
}

type Options = ReturnType<typeof readOptions>;

/** What can be measured here, ours first, with the versions; says what is left out. */
function available({ only, threads }: Options, programs: Programs): { entries: Entry[]; versions: string[]; leftOut: string[] } {
  const entries: Entry[] = [];
  const versions: string[] = [];
  const leftOut: string[] = [];
  const cores = availableParallelism();
  for (const count of threads) if (count > cores) leftOut.push(`${countOf(count, 'thread')}: this machine has ${countOf(cores, 'core')}`);
  const names = PEER_NAMES.filter((name) => name === 'ours' || only.includes(name));
  for (const name of names) {
    try {
      versions.push(PROGRAMS[name].version(programs));
      const counts = PROGRAMS[name].threaded ? threads.filter((count) => count <= cores) : [1];
      entries.push(...counts.map((count) => ({ name, threads: count })));
    } catch (error) {
      if (!(error instanceof LeftOut)) throw error;
      leftOut.push(`${PROGRAMS[name].label}: ${error.message}`);
    }
  }
  for (const line of leftOut) say(`left out: ${line}`);
  return { entries, versions, leftOut };
}

async function main(options: Options): Promise<void> {
  const { sizes, rounds, seconds, python, c, torch } = options;
  const directory = mkdtempSync(join(tmpdir(), 'backprop-ninja-'));
  process.on('exit', () => rmSync(directory, { recursive: true, force: true }));
  const programs: Programs = { python, c, torch, torchMode: options['torch-mode'], directory };
  const { entries, versions, leftOut } = available(options, programs);
  const [load = 0] = loadavg();
  if (load > 0.5) say(`others use this machine (load ${load.toFixed(1)}), so times and ratios will be wrong`);
  const onLeftOut = (entry: Entry, [H, n]: Size, reason: string) => {
    const line = `${labelOf(entry)} at H ${H}, n ${n}: ${reason}`;
    leftOut.push(line);
    say(`left out: ${line}`);
  };
  const timings: Timing[] = [];
  for (const size of sizes) {
    say(`H ${size[0]}, n ${size[1]}`);
    timings.push(...(await measure(entries, size, { rounds, seconds, programs, onLeftOut })));
  }
  const { times, ratios } = tables(entries, sizes, timings);
  const busy = load > 0.5 ? `, at a load of ${load.toFixed(1)} when it began` : '';
  const machine = `${cpus()[0]?.model}, ${countOf(availableParallelism(), 'core')}${busy}`;
  const date = new Date().toISOString().slice(0, 10);
  const notes = [
    `Measured on ${date}: ${[machine, ...new Set(versions)].join('; ')}.`,
    ...leftOut.map((line) => `Left out: ${line}.`),
  ].join('\n');
  const text = `Microseconds per step, medians of ${countOf(rounds, 'round')}:\n\n${times}\nMedians of the rounds' ratios:\n\n${ratios}\n${notes}\n`;
  if (options.json) process.stdout.write(`${JSON.stringify({ date, machine, versions: [...new Set(versions)], leftOut, timings })}\n`);
  else process.stdout.write(text);
  if (options.write) writePage(text);
}

/** Replaces what is between the markers. */
function writePage(text: string): void {
  const page = readFileSync(PAGE, 'utf8');
  const [begin, end] = MARKERS.map((marker) => page.indexOf(marker)) as [number, number];
  if (begin < 0 || end < begin) throw new FileContentError(`${PAGE} has no markers for the tables`);
  writeFileSync(PAGE, `${page.slice(0, begin + MARKERS[0].length)}\n${text}\n${page.slice(end)}`);
}

try {
  await main(readOptions());
} catch (error) {
  const code = error instanceof UsageError ? 2 : error instanceof FileContentError ? 3 : error instanceof SystemError ? 4 : undefined;
  if (code === undefined) throw error;
  say(fullMessage(error as Error));
  process.exitCode = code;
}
