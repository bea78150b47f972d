/**
 * What training costs at scale: time, memory and disk against names, parameters, vocabulary and threads, and what the limits say.
 *
 *   npm run bench:scale -- [--only names,parameters,vocabulary,threads,limits] [--largest 10000000] [--seconds 5] [--write]
 *
 * Run it after npm run build. It prints tables in Markdown; --write puts them into docs/performance.md. --largest is the most names,
 * --seconds the time for each network. It takes about 8 minutes on a quiet machine, 2 GiB of memory and as much in the directory for temporary
 * files.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { formatBytes, formatCount } from '../src/core/text.js';
import { inProject } from '../test/support/inProject.js';
import { writeManyNames, writeNamesOf } from '../test/support/manyNames.js';

const PAGE = inProject('docs/performance.md');
const MARKERS = ['<!-- scale: written by npm run bench:scale -- --write -->\n', '<!-- end of scale -->\n'] as const;
const MAIN = inProject('bin/backprop-ninja.js');

const { values: options } = parseArgs({
  options: {
    only: { type: 'string', default: 'names,parameters,vocabulary,threads,limits' },
    largest: { type: 'string', default: '10000000' },
    seconds: { type: 'string', default: '5' },
    write: { type: 'boolean', default: false },
  },
});
const seconds = Number(options.seconds);
const directory = mkdtempSync(join(tmpdir(), 'scale-'));

const say = (line: string) => process.stderr.write(`${line}\n`);
const round = (value: number, digits = 3) => (value === 0 ? '0' : formatNumber(Number(value.toPrecision(digits))));
const formatNumber = (value: number) => value.toLocaleString('en-US', { maximumFractionDigits: 6 });

function tableOf(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |\n`).join('');
}

/** Runs a script of bench/scale/ in a process of its own. */
function measured(script: string, argument: string) {
  return JSON.parse(execFileSync(process.execPath, ['--expose-gc', inProject(`bench/scale/${script}`), argument], { encoding: 'utf8' }));
}

/** Runs a command. Its peak of memory is written where a program's output cannot be. */
function command(...words: string[]): { status: number | null; stderr: string; seconds: number; peakBytes: number } {
  const peak = join(directory, 'peak');
  const atExit = `import { writeFileSync } from 'node:fs'; process.on('exit', () => writeFileSync(${JSON.stringify(peak)}, String(process.resourceUsage().maxRSS)));`;
  const start = performance.now();
  const child = spawnSync(process.execPath, ['--import', `data:text/javascript,${encodeURIComponent(atExit)}`, MAIN, ...words], {
    cwd: directory,
    encoding: 'utf8',
  });
  const time = (performance.now() - start) / 1000;
  return { status: child.status, stderr: child.stderr, seconds: time, peakBytes: 1024 * Number(readFileSync(peak, 'utf8')) };
}

/** Trains, or ends with the error of the command. */
function train(...words: string[]) {
  const done = command('train', '--force', '--out', 'run', ...words);
  if (done.status !== 0) throw new Error(`train ${words.join(' ')}: ${done.stderr}`);
  return done;
}

function diskOf(folder: string): number {
  return readdirSync(join(directory, folder)).reduce((sum, file) => sum + statSync(join(directory, folder, file)).size, 0);
}

function namesTables(): string {
  const counts = [1e4, 1e5, 1e6, 1e7].filter((count) => count <= Number(options.largest));
  const rows: string[][] = [];
  for (const count of counts) {
    say(`${formatCount(count)} names`);
    const file = join(directory, `${count}.txt`);
    writeManyNames(file, count);
    const { fileBytes, examples, readSeconds, splitSeconds, bytes, peakBytes, draws, epochSeconds } = measured('names.js', file);
    const whole = train('--data', file, '--steps', '1000', '--hidden', '64');
    rmSync(file);
    rows.push([
      formatCount(count),
      formatBytes(fileBytes),
      formatCount(examples),
      `${round(readSeconds, 2)} s`,
      round(fileBytes / 1e6 / readSeconds, 2),
      `${round(splitSeconds, 2)} s`,
      count < 1e6 ? '' : round(bytes / count, 2),
      formatBytes(peakBytes),
      ...draws.map((ns: number) => round(ns, 2)),
      `${round(epochSeconds, 2)} s`,
      `${round(whole.seconds, 2)} s`,
      formatBytes(whole.peakBytes),
    ]);
  }
  const head = ['names', 'file', 'examples', 'read', 'MB/s', 'split', 'bytes per name', 'peak while reading'];
  const more = ['draw, ns, n 32', 'n 512', 'an epoch’s order', '`train --steps 1000 --hidden 64`', 'its memory'];
  return tableOf([...head, ...more], rows);
}

const PARAMETERS: readonly (readonly number[])[] = [[160], [300, 300], [1000, 1000], [3000, 3000], [10_000, 10_000]];

function parametersTable(): string {
  const file = join(directory, 'few.txt');
  writeManyNames(file, 100);
  const rows = PARAMETERS.map((hidden) => {
    say(`H ${hidden}`);
    const step = measured('network.js', JSON.stringify({ hidden, batchSize: 32, seconds }));
    const whole = train('--data', file, '--steps', '3', '--eval-every', '3', '--hidden', hidden.join(), '--diagnose-every', '0');
    const checkpoint = statSync(join(directory, 'run', 'checkpoint.safetensors')).size;
    return [
      formatCount(step.parameters),
      hidden.join(),
      `${round(step.ms)} ms`,
      round((6 * 32 * step.parameters) / step.ms / 1e6, 2),
      formatBytes(step.peakBytes),
      formatBytes(checkpoint),
      formatBytes(diskOf('run')),
      `${round(whole.seconds, 2)} s`,
      formatBytes(whole.peakBytes),
    ];
  });
  const head = [
    'parameters',
    'H',
    'step, n 32',
    'GFLOP/s',
    'memory',
    'checkpoint',
    'a run',
    '`train --steps 3` on 100 names',
    'its memory',
  ];
  return tableOf(head, rows);
}

function vocabularyTable(): string {
  const rows = [27, 100, 1000, 5000, 20_000].map((V) => {
    say(`V ${V}`);
    const data = join(directory, 'characters.txt');
    writeNamesOf(data, V, 5000);
    const step = measured('network.js', JSON.stringify({ hidden: [200], batchSize: 32, data, seconds }));
    const whole = train('--data', data, '--steps', '100');
    return [
      formatCount(V),
      formatCount(step.parameters),
      `${round(1000 * step.ms)}`,
      formatBytes(diskOf('run')),
      `${round(whole.seconds, 2)} s`,
      formatBytes(whole.peakBytes),
    ];
  });
  return tableOf(['characters', 'parameters', 'step, us', 'a run on the disk', '`train --steps 100` on 5,000 names', 'its memory'], rows);
}

function threadsTable(): string {
  const counts = [1, 2, 4, 8].filter((count) => count <= Math.max(2, availableParallelism()));
  const sizes = [
    [[64], 32],
    [[200], 32],
    [[200], 128],
    [[1024], 256],
    [[3000, 3000], 32],
  ] as const;
  const rows = sizes.map(([hidden, batchSize]) => {
    say(`threads, H ${hidden}, n ${batchSize}`);
    const times = counts.map((threads) => measured('network.js', JSON.stringify({ hidden, batchSize, threads, seconds: seconds / 2 })));
    const [one] = times;
    return [
      hidden.join(),
      `${batchSize}`,
      ...times.map(({ ms }, i) => `${round(1000 * ms)}${i === 0 ? '' : ` (${(one.ms / ms).toFixed(2)})`}`),
      formatBytes(one.peakBytes),
      formatBytes(times.at(-1).peakBytes),
    ];
  });
  const head = counts.map((count) => `${count} thread${count === 1 ? '' : 's'}, us per step`);
  return tableOf(['H', 'n', ...head, 'memory, 1 thread', `${counts.at(-1)} threads`], rows);
}

/** What is refused: the limit, and a command that goes beyond it. */
function limits(): [what: string, limit: string, words: string[]][] {
  const path = (name: string) => join(directory, name);
  writeFileSync(path('large.txt'), 'emma\n');
  truncateSync(path('large.txt'), 2 ** 30 + 1);
  writeFileSync(path('line.txt'), `emma\n${'a'.repeat(2 ** 16 + 1)}\n`);
  writeFileSync(path('few.txt'), 'emma\nava\nmia\n');
  writeNamesOf(path('characters.txt'), 20_000, 20_000);
  mkdirSync(path('none'), { recursive: true });
  return [
    ['a file of names', '1 GiB', ['train', '--data', 'large.txt']],
    ['a line', '64 KiB', ['train', '--data', 'line.txt']],
    ['names', 'at least 6', ['train', '--data', 'few.txt']],
    ['memory of a network', '4 GiB', ['train', '--hidden', '20000,20000']],
    ['memory of a network of many characters', '4 GiB', ['train', '--data', 'characters.txt', '--hidden', '60000']],
    ['memory of a batch', '4 GiB', ['train', '--batch-size', '1000000']],
    ['context length', '64', ['train', '--context', '65']],
    ['steps', '10^9', ['train', '--steps', '1e10']],
  ];
}

function limitsTable(): string {
  const rows = limits().map(([what, limit, words]) => {
    const { status, stderr } = command(...words);
    const message = stderr.split('\n').find((line) => line.startsWith('error: ')) ?? 'none: it was not refused';
    return [what, limit, `\`${words.join(' ')}\``, `${status}`, message.slice('error: '.length).replaceAll('|', '\\|')];
  });
  return tableOf(['limit of', '', 'beyond it', 'exit', 'it says'], rows);
}

const PARTS: Readonly<Record<string, [title: string, table: () => string]>> = {
  names: ['Names', namesTables],
  parameters: ['Parameters', parametersTable],
  vocabulary: ['Characters', vocabularyTable],
  threads: ['Threads', threadsTable],
  limits: ['Limits', limitsTable],
};

function writePage(text: string): void {
  const page = readFileSync(PAGE, 'utf8');
  const [begin, end] = MARKERS.map((marker) => page.indexOf(marker));
  if (begin === -1 || end === -1) throw new Error(`${PAGE} lacks the lines ${MARKERS.join('and ')}`);
  writeFileSync(PAGE, `${page.slice(0, begin + MARKERS[0].length)}\n${text}\n${page.slice(end)}`);
}

const start = performance.now();
try {
  const load = loadavg()[0];
  const parts = options.only.split(',').map((name) => {
    const part = PARTS[name];
    if (!part) throw new Error(`--only has ${name}: expected ${Object.keys(PARTS).join(', ')}`);
    return `### ${part[0]}\n\n${part[1]()}`;
  });
  const date = new Date().toISOString().slice(0, 10);
  const machine = `${cpus()[0]?.model.trim()}, ${availableParallelism()} cores, Node ${process.versions.node}, load ${load.toFixed(1)} before`;
  const text = `${parts.join('\n')}\nMeasured on ${date}: ${machine}; ${round((performance.now() - start) / 60_000, 2)} minutes.\n`;
  process.stdout.write(text);
  if (options.write) writePage(text);
} finally {
  rmSync(directory, { recursive: true, force: true });
}
