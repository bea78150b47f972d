import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import * as v from 'valibot';
import { atomicWrite } from '../checkpoint/atomicWrite.js';
import { openLines, parseLines, readBytes } from '../checkpoint/jsonLines.js';
import { acquireLock } from '../checkpoint/lock.js';
import { FileContentError, quoteText, showPath, UsageError, withSystemErrors } from '../errors.js';
import { randomStream } from '../random.js';
import { type Assignment, drawFrom, gridOf, parseVariation, type Ranked, rank, type SweepResult } from '../sweep.js';
import { type Paint, paintFor } from './colors.js';
import { EXIT_SIGNAL } from './exitCodes.js';
import { type Align, formatCount, formatLoss, formatTable } from './format.js';
import { commandName, type IO, type StopSignal, shellWord, shortPath } from './io.js';
import { type TrainProcess, trainProcess } from './trainProcess.js';

export interface SweepCommandOptions {
  vary: string[];
  random?: number;
  seed: number;
  out: string;
  jobs?: number;
  json?: boolean;
  color: boolean;
}

type CheckArguments = (words: readonly string[]) => void;

const SWEEP_FILE = 'sweep.json';
const RESULTS_FILE = 'runs.jsonl';

const AssignmentSchema = v.record(v.string(), v.string());
/** What was asked for, and what is trained for it. */
const SweepSchema = v.object({
  vary: v.array(v.string()),
  random: v.nullable(v.number()),
  seed: v.number(),
  train: v.array(v.string()),
  runs: v.pipe(v.array(AssignmentSchema), v.minLength(1)),
});
type Sweep = v.InferOutput<typeof SweepSchema>;

const loss = v.nullable(v.number());
const ResultSchema = v.object({ run: v.string(), options: AssignmentSchema, seconds: loss, trainLoss: loss, valLoss: loss });

/**
 * Trains every combination in processes of their own, as many at a time as there are cores. A sweep that was stopped goes on where it stands.
 * @param trainArguments what all runs have in common
 * @param checkTrainArguments throws if train would not take them
 * @returns the exit code
 */
export async function sweepCommand(
  trainArguments: readonly string[],
  options: SweepCommandOptions,
  checkTrainArguments: CheckArguments,
  io: IO,
): Promise<number> {
  const directory = resolve(io.cwd, options.out);
  const asked = planSweep(trainArguments, options, checkTrainArguments);
  withSystemErrors('write in', directory, () => mkdirSync(directory, { recursive: true }));
  const unlock = acquireLock(directory, io.date().toISOString());
  try {
    const sweep = openSweep(directory, asked, io);
    const { results, signal } = await runAll(sweep, directory, options.jobs ?? availableParallelism(), io);
    if (signal) {
      io.stderr.write(
        `${signal}: ${results.length} of ${sweep.runs.length} runs are done in ${shortPath(directory, io)}; the same command goes on with it\n`,
      );
      return EXIT_SIGNAL[signal];
    }
    const ranked = rank(results);
    if (options.json) io.stdout.write(`${JSON.stringify({ sweep: directory, train: sweep.train, ranked })}\n`);
    else print(ranked, sweep, io, await paintFor(io.stdout, io.env, options.color));
    return 0;
  } finally {
    unlock();
  }
}

/** @throws UsageError if anything would be refused by `train`, before any run begins */
function planSweep(
  trainArguments: readonly string[],
  { vary, random, seed }: SweepCommandOptions,
  checkTrainArguments: CheckArguments,
): Sweep {
  const variations = vary.map(parseVariation);
  const options = variations.map(({ option }) => option);
  const twice = options.find((option, i) => options.indexOf(option) !== i);
  if (twice) throw new UsageError(`--vary ${twice} is given twice; its values go into one, as ${twice}=1/2/3`);
  const runs = random === undefined ? gridOf(variations) : drawFrom(variations, random, randomStream('sweep', seed));
  for (const assignment of runs) {
    try {
      checkTrainArguments([...trainArguments, ...asArguments(assignment)]);
    } catch (error) {
      if (error instanceof Error && Object.values(assignment).some((value) => value.includes(','))) {
        error.message = `${error.message.trim()} --vary separates values by /, as lr=0.05/0.1.`;
      }
      throw error;
    }
  }
  return { vary, random: random ?? null, seed, train: [...trainArguments], runs };
}

function asArguments(assignment: Assignment): string[] {
  return Object.entries(assignment).flatMap(([option, value]) => [`--${option}`, value]);
}

/** The sweep that the directory holds already, if it is the one that is asked for; else it is written down. */
function openSweep(directory: string, asked: Sweep, io: IO): Sweep {
  const path = join(directory, SWEEP_FILE);
  if (!existsSync(path)) {
    withSystemErrors('write', path, () => atomicWrite(path, Buffer.from(`${JSON.stringify(asked, null, 2)}\n`)));
    return asked;
  }
  const parsed = v.safeParse(
    v.pipe(v.string(), v.parseJson(), SweepSchema),
    withSystemErrors('read', path, () => readFileSync(path, 'utf8')),
  );
  if (!parsed.success)
    throw new FileContentError(`${showPath(path)}: ${quoteText(parsed.issues[0].message)}; name another directory with --out`);
  const { runs: _, ...found } = parsed.output;
  const { runs: __, ...wanted } = asked;
  if (JSON.stringify(found) !== JSON.stringify(wanted)) {
    throw new UsageError(`${shortPath(directory, io)} holds another sweep: ${commandOf(found)}; name another directory with --out`);
  }
  return parsed.output;
}

function commandOf({ vary, random, seed, train }: Omit<Sweep, 'runs'>): string {
  const drawn = random === null ? [] : [`--random ${random} --seed ${seed}`];
  return [...vary.map((text) => `--vary ${shellWord(text)}`), ...drawn, ...(train.length > 0 ? ['--', ...train.map(shellWord)] : [])].join(
    ' ',
  );
}

async function runAll(
  { runs, train }: Sweep,
  directory: string,
  jobs: number,
  io: IO,
): Promise<{ results: SweepResult[]; signal: StopSignal | undefined }> {
  const path = join(directory, RESULTS_FILE);
  const results = [...parseLines(readBytes(path), ResultSchema)].flatMap(({ record }) => record ?? []);
  const done = new Set(results.map(({ run }) => run));
  const waiting = runs
    .map((assignment, i) => ({ run: String(i + 1).padStart(4, '0'), options: assignment }))
    .filter(({ run }) => !done.has(run));
  io.stderr.write(
    `${formatCount(runs.length)} runs in the directory ${shortPath(directory, io)}${done.size > 0 ? `, ${formatCount(done.size)} of them done` : ''}; ${jobs} at a time\n`,
  );
  const lines = openLines<SweepResult>(path, 'continue');
  const running = new Set<TrainProcess>();
  let signal: StopSignal | undefined;
  const stop = () => {
    waiting.length = 0;
    for (const child of running) child.stop();
  };
  const stopListening = io.onStop((name) => {
    signal = name;
    stop();
  });
  const work = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const child = trainProcess(join(directory, next.run), [...train, ...asArguments(next.options)], io);
      running.add(child);
      const outcome = await child.outcome.finally(() => running.delete(child));
      if (outcome === 'stopped') return;
      const result = { ...next, ...outcome };
      lines.append(result);
      results.push(result);
      io.stderr.write(`${progressLine(result, results.length, runs.length)}\n`);
    }
  };
  try {
    await Promise.all(Array.from({ length: jobs }, work));
  } catch (error) {
    stop();
    await Promise.allSettled([...running].map((child) => child.outcome));
    throw error;
  } finally {
    stopListening();
    lines.close();
  }
  return { results, signal };
}

function progressLine({ options, valLoss }: SweepResult, done: number, of: number): string {
  const what = asArguments(options).join(' ');
  return `${String(done).padStart(String(of).length)} / ${of}   ${valLoss === null ? 'blew up' : `validation ${formatLoss(valLoss)}`}   ${what}`;
}

function print(ranked: readonly Ranked[], { train }: Sweep, io: IO, paint: Paint): void {
  const varied = Object.keys(ranked[0].options);
  const repeated = ranked.some(({ runs }) => runs.length > 1);
  const head = ['', ...varied, 'validation', ...(repeated ? ['from', 'to'] : []), 'train', 'seconds', repeated ? 'runs' : 'run'];
  const align: Align[] = [
    'right',
    ...varied.map(() => 'right' as const),
    'right',
    ...(repeated ? (['right', 'right'] as const) : []),
    'right',
    'right',
    'left',
  ];
  const rows = ranked.map(({ options, runs, valLoss, trainLoss, seconds }, i) => {
    const losses = runs.map((run) => run.valLoss ?? Number.NaN).sort((a, b) => a - b);
    return [
      String(i + 1),
      ...varied.map((option) => options[option]),
      show(valLoss, formatLoss, 'blew up'),
      ...(repeated ? [losses[0], losses[losses.length - 1]].map((one) => (Number.isNaN(one) ? '' : formatLoss(one))) : []),
      show(trainLoss, formatLoss, ''),
      show(seconds, (value) => value.toFixed(1), '-'),
      runs.map(({ run }) => run).join(' '),
    ];
  });
  const [title, ...lines] = formatTable([head, ...rows], align);
  const best = ranked[0];
  const again = [`${commandName(io)} train`, ...train.map(shellWord), ...asArguments(best.options)].join(' ');
  io.stdout.write(
    `\n${[paint.dim(title), ...lines].join('\n')}\n\n${best.valLoss === null ? 'no run has a loss' : `the first again: ${again}`}\n`,
  );
}

function show(value: number | null, text: (value: number) => string, missing: string): string {
  return value === null ? missing : text(value);
}
