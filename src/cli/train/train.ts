import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { CreateBackend } from '../../backend/backend.js';
import { NumericalError, SystemError } from '../../core/errors.js';
import type { Job } from '../../core/job.js';
import { reportInParts } from '../../evaluation/report.js';
import { parameterCount } from '../../network/parameters.js';
import { LostDirectoryError } from '../../node/lock.js';
import { readMetrics } from '../../node/metricsFile.js';
import { CHECKPOINT_FILE, METRICS_FILE, replaceRunFile } from '../../node/runDirectory.js';
import { Session } from '../../node/session.js';
import type { MetricsRecord } from '../../run/records.js';
import { RunCurves } from '../../run/runCurves.js';
import { type CommandContext, defineCommand } from '../command.js';
import { withKernels } from '../kernels.js';
import { EXIT_SIGNAL } from '../terminal/exitCodes.js';
import { formatBlocks, formatBytes, formatCount, formatCountOf, formatList, formatLoss } from '../terminal/format.js';
import { commandName, type IO, type StopSignal, shellPath, shortPath } from '../terminal/io.js';
import { Progress } from '../terminal/progress.js';
import { Status } from '../terminal/status.js';
import { inTurns, type Turns } from '../terminal/turns.js';
import { canRedraw } from '../terminal/whileShowing.js';
import { loadWidths } from '../terminal/width.js';
import type { LeftAlone } from './continueRun.js';
import { describeRecipe } from './describeRecipe.js';
import type { LiveReport } from './liveReport.js';
import { saveElsewhere, showNotices } from './lostRun.js';
import { printReport } from './printReport.js';
import { resumeRun } from './resumeRun.js';
import { type PreparedRun, startRun } from './startRun.js';
import { type GivenTrainOptions, TRAIN_OPTIONS } from './trainOptions.js';

export const train = defineCommand({
  description: 'Trains a network, reports its losses and samples from it.',
  options: TRAIN_OPTIONS,
  examples: [
    ['backprop-ninja train', "the lesson's recipe"],
    ['backprop-ninja train --preset fast', 'a lower loss, in about a second'],
    ['backprop-ninja train --steps 20000 --hidden 64 --out quick', 'a small network, in the directory quick'],
    ['backprop-ninja train --data words.txt --context 5', 'any list of words, with a longer context'],
    ['backprop-ninja train --hidden 300,200', 'a network of two blocks'],
    ['backprop-ninja train --optimizer adamw --lr 0.002 --schedule linear', 'another recipe'],
    ['backprop-ninja train --open', 'see it train in the browser'],
    ['backprop-ninja train --resume', 'resume the newest run'],
    ['backprop-ninja train --continue --out runs/a', 'begin or resume the run in a directory, whatever state it is in'],
    ['backprop-ninja train --mutant dbnraw-gain-forgotten', 'one wrong gradient, compared with the right ones'],
  ],
  async run(context) {
    const given: GivenTrainOptions = context.given;
    if (given.mutant !== undefined) return (await import('./trainMutant.js')).trainMutant(given.mutant, given, context);
    return withKernels(context.options.threads, context.io, (createBackend) => trainWith(createBackend, given, context));
  },
});

async function trainWith(createBackend: CreateBackend, given: GivenTrainOptions, context: CommandContext): Promise<number> {
  const run = await prepareRun(given, createBackend, context.io);
  if (!('lock' in run)) return sayLeftAlone(run, context);
  try {
    const { dataset, sha256: dataSha256 } = run.data;
    const { saveEvery = run.config.evalEvery, checkEvery } = given;
    announceMetrics(run, context.io);
    const history = given.plot === false ? undefined : earlierLosses(run, context.io);
    const live = given.open ? new (await import('./liveReport.js')).LiveReport(run, createBackend, context.io) : undefined;
    const onRecord = (record: MetricsRecord) => {
      history?.add(record);
      live?.add(record);
    };
    const session = new Session({ ...run, dataset, dataSha256, saveEvery, checkEvery, onRecord });
    try {
      return await inTurns(context.io, (turns) => trainRun(run, session, { history, live }, turns, context));
    } finally {
      session.close();
    }
  } finally {
    run.lock.release();
  }
}

async function prepareRun(given: GivenTrainOptions, createBackend: CreateBackend, io: IO): Promise<PreparedRun | LeftAlone> {
  if (given.resume !== undefined) return resumeRun(given, createBackend, io);
  if (given.continue) return (await import('./continueRun.js')).continueRun(given, createBackend, io);
  return startRun(given, createBackend, io);
}

/** Says that a run is done or in use. @returns the exit code */
function sayLeftAlone({ directory, result, inUse }: LeftAlone, { io, json, printJson }: CommandContext): number {
  const shown = shortPath(directory, io);
  if (result) io.tellSweep?.({ result });
  else io.tellSweep?.({ inUse });
  if (json) printJson(result ? { ...result, run: directory, checkpoint: join(directory, CHECKPOINT_FILE) } : { run: directory, inUse });
  else io.stdout.write(result ? `${shown} is done: validation ${formatLoss(result.valLoss)}\n` : `${shown} is in use by ${inUse}\n`);
  return 0;
}

async function trainRun(
  run: PreparedRun,
  session: Session,
  { history, live }: { history: RunCurves | undefined; live: LiveReport | undefined },
  turns: Turns,
  context: CommandContext,
): Promise<number> {
  const { io } = context;
  try {
    run.onBegun(session.files);
    announce(run, session, io);
    await live?.begin(turns);
    const trained = await trainToEnd(session, run, history, turns, io);
    if (turns.signal && !session.done) session.suspend();
    else if (await report(run, session, trained, turns, context)) {
      await live?.finish(turns);
      return 0;
    }
    if (trained.steps > 0) replaceRunFile(session.files, { ...run.runFile, trained });
    live?.end();
  } catch (error) {
    if (error instanceof LostDirectoryError) throw saveElsewhere(error, session, run.directory, io);
    if (error instanceof NumericalError) noteDivergence(run, session, error);
    live?.end(error instanceof NumericalError ? { step: session.step, message: error.message } : undefined);
    throw error;
  } finally {
    showNotices(session, io);
  }
  return endBySignal(turns.signal as StopSignal, run, session, io);
}

/** Says in run.json after which step numbers blew up, for doctor. The run's own error matters more than one of the file. */
function noteDivergence({ runFile }: PreparedRun, { files, step }: Session, error: NumericalError): void {
  const { message } = error.cause instanceof NumericalError ? error.cause : error;
  try {
    replaceRunFile(files, { ...runFile, diverged: { step, message } });
  } catch (other) {
    if (!(other instanceof SystemError)) throw other;
  }
}

/** Says what is saved. @returns the exit code */
function endBySignal(signal: StopSignal, { config, directory }: PreparedRun, { done, step }: Session, io: IO): number {
  const saved = done
    ? `all ${formatCountOf(step, 'step')} are saved`
    : `saved after step ${formatCount(step)} of ${formatCount(config.steps)}`;
  const next = `${done ? 'for the report' : 'resume with'}: ${commandName(io)} train --resume ${shellPath(directory, io)}`;
  io.stderr.write(`${signal}: ${saved}; ${next}\n`);
  return EXIT_SIGNAL[signal];
}

/** The losses of a resumed run up to its checkpoint, for the curves of a terminal. Of large metrics, they are left out. */
function earlierLosses({ directory, from }: PreparedRun, io: IO): RunCurves | undefined {
  if (!canRedraw(io.stderr, io)) return undefined;
  const history = new RunCurves('loss');
  const path = join(directory, METRICS_FILE);
  if (!from || metricsSize(path) > LARGE_METRICS) return history;
  for (const record of readMetrics(path).records) if (record.step <= from.state.step) history.add(record);
  return history;
}

/** Larger metrics are announced: a resumed session reads 64 MiB in some seconds. */
const LARGE_METRICS = 2 ** 26;

function metricsSize(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

function announceMetrics({ directory, from }: PreparedRun, io: IO): void {
  const path = join(directory, METRICS_FILE);
  const size = from ? metricsSize(path) : 0;
  if (size > LARGE_METRICS) io.stderr.write(`reading ${shortPath(path, io)}, ${formatBytes(size)}\n`);
}

function announce({ directory, model, data, config }: PreparedRun, session: Session, io: IO): void {
  const { context: T, embedding: E, vocabulary: V } = model.config;
  io.stderr.write(
    `${data.shownAs}: ${formatCountOf(data.names, 'name')}, ${formatCount(data.dataset.parts.train.length)} of them for training ` +
      `(${formatCount(session.trainExamples.count)} examples), ${V} characters\n` +
      `T ${T}, E ${E}, ${formatBlocks(model.config)}: ${formatCount(parameterCount(model.config))} parameters; ` +
      `${activity(session)} ${shortPath(directory, io)}\n`,
  );
  const recipe = describeRecipe(config, Object.keys(model.parameters));
  if (recipe) io.stderr.write(`${recipe}\n`);
  const metrics = shortPath(join(directory, METRICS_FILE), io);
  if (session.droppedLines.length > 0) {
    io.stderr.write(`note: ${metrics}: dropped incomplete ${formatList('line', session.droppedLines)}\n`);
  }
  const missing = session.missingSteps.map((steps) => steps.map(formatCount).join(' to '));
  if (missing.length > 0) {
    const shown = missing.slice(0, SHOWN_GAPS).join(', ');
    const more = missing.length > SHOWN_GAPS ? ` and ${formatCountOf(missing.length - SHOWN_GAPS, 'other gap')}` : '';
    io.stderr.write(`note: ${metrics}: the records of steps ${shown}${more} are missing\n`);
  }
}

/** At most this many gaps in the metrics are listed in a note. */
const SHOWN_GAPS = 3;

function activity({ step, done }: Session): string {
  if (done) return step === 1 ? 'its one step is done in' : `all ${formatCount(step)} steps are done in`;
  return step === 0 ? 'writing' : `resuming after step ${formatCount(step)} in`;
}

/** The steps of a session, and the seconds that they took, with evaluations and saves. */
interface Trained {
  steps: number;
  seconds: number;
}

/** Trains to the end or to a signal. */
async function trainToEnd(
  session: Session,
  { config, directory }: PreparedRun,
  history: RunCurves | undefined,
  turns: Turns,
  io: IO,
): Promise<Trained> {
  const progress = new Progress(io, session.step, config.steps, history);
  const stopListening = io.onContinue(() => progress.forget());
  const from = session.step;
  try {
    await turns.run(allSteps(session), () => {
      showNotices(session, io, progress);
      if (!session.done) progress.update(session.step, session.smoothedLoss);
    });
  } catch (error) {
    progress.clear();
    if (!(error instanceof NumericalError)) throw error;
    throw new NumericalError(error.message, {
      hint: `the checkpoint at step ${session.savedAt} is intact; a lower --lr may avoid it. Locate the failure`,
      command: `train --resume ${shellPath(directory, io)} --check-every 1`,
      cause: error,
    });
  } finally {
    stopListening();
  }
  const { seconds } = progress;
  const steps = session.step - from;
  if (session.done && steps > 0) progress.finish(session.step, session.smoothedLoss);
  else progress.clear();
  return { steps, seconds };
}

function* allSteps(session: Session): Job<void> {
  while (!session.done) {
    yield* session.advanceInParts();
    yield;
  }
}

/** Prints the report, unless a signal comes first. @returns whether it is printed */
async function report(
  { directory, model, data, config, runFile }: PreparedRun,
  session: Session,
  trained: Trained,
  turns: Turns,
  { io, json, printJson, paint }: CommandContext,
): Promise<boolean> {
  const { steps } = trained;
  const seconds = steps > 0 ? trained.seconds : 0;
  const { evaluator, trainExamples, best } = session;
  const job = reportInParts({ model, evaluator, dataset: data.dataset, trainExamples, seed: config.seed });
  const status = new Status(io);
  const losses = await turns.run(job, () => status.update(() => 'computing the report'));
  status.clear();
  if (!losses) return false;
  const result = {
    run: directory,
    checkpoint: join(directory, CHECKPOINT_FILE),
    parameters: parameterCount(model.config),
    steps: config.steps,
    seconds,
    stepsPerSecond: steps > 0 ? steps / seconds : null,
    best,
    ...losses,
  };
  if (steps > 0 || runFile.finishedAt === undefined)
    replaceRunFile(session.files, { ...runFile, ...(steps > 0 && { trained }), finishedAt: io.date().toISOString(), result });
  io.tellSweep?.({ result: { seconds, trainLoss: losses.trainLoss, valLoss: losses.valLoss } });
  if (json) printJson(result);
  else {
    await loadWidths(...losses.samples);
    printReport(losses, { best, vocabulary: model.config.vocabulary, run: directory }, io, await paint());
  }
  return true;
}
