import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { NumericalError } from '../../core/errors.js';
import { parameterCount } from '../../network/parameters.js';
import { CHECKPOINT_FILE, METRICS_FILE, writeRunFile } from '../../node/runDirectory.js';
import { Session } from '../../node/session.js';
import { EXIT_SIGNAL } from '../terminal/exitCodes.js';
import { formatCount } from '../terminal/format.js';
import { commandName, type IO, type StopSignal, shellPath, shortPath, TURN_MS } from '../terminal/io.js';
import { Progress } from '../terminal/progress.js';
import { withPreset } from './presets.js';
import { describeRecipe } from './recipe.js';
import { createReport, printReport } from './report.js';
import { resumeRun } from './resumeRun.js';
import { type PreparedRun, startRun, type TrainCommandOptions } from './startRun.js';

/**
 * @param given whether an option stands on the command line
 * @returns the exit code
 */
export async function trainCommand(asked: TrainCommandOptions, given: (option: string) => boolean, io: IO): Promise<number> {
  if (asked.mutant !== undefined) return (await import('./trainMutantCommand.js')).trainMutantCommand(asked, given, io);
  const options = withPreset(asked, given);
  const run = options.resume === undefined ? startRun(options, io) : resumeRun(options, given, io);
  try {
    return await trainRun(run, options, io);
  } finally {
    run.unlock();
  }
}

async function trainRun(run: PreparedRun, options: TrainCommandOptions, io: IO): Promise<number> {
  let signal: StopSignal | undefined;
  const stopListening = io.onStop((name) => {
    signal = name;
  });
  const session = new Session({ ...run, saveEvery: options.saveEvery ?? run.config.evalEvery, checkEvery: options.checkEvery });
  try {
    run.onBegun();
    announce(run, session, io);
    const from = session.step;
    const seconds = await train(session, run, () => signal !== undefined, io);
    if (!session.done) {
      session.save();
      io.stderr.write(
        `${signal}: saved after step ${formatCount(session.step)} of ${formatCount(run.config.steps)}; ` +
          `go on with: ${commandName(io)} train --resume ${shellPath(run.directory, io)}\n`,
      );
      return EXIT_SIGNAL[signal as StopSignal];
    }
    await report(run, session, { seconds, steps: session.step - from }, options, io);
    return 0;
  } finally {
    session.close();
    stopListening();
  }
}

function announce({ directory, model, data, dataset, config }: PreparedRun, session: Session, io: IO): void {
  const { context: T, embedding: E, hidden, vocabulary: V } = model.config;
  io.stderr.write(
    `${shortPath(data.path, io)}: ${formatCount(data.names)} names, ${formatCount(dataset.parts.train.length)} of them to train on ` +
      `(${formatCount(session.trainExamples.count)} examples), ${V} characters\n` +
      `T ${T}, E ${E}, H ${hidden.join(',')}: ${formatCount(parameterCount(model.config))} parameters; ` +
      `${whatNow(session)} ${shortPath(directory, io)}\n`,
  );
  const recipe = describeRecipe(config, Object.keys(model.parameters));
  if (recipe) io.stderr.write(`${recipe}\n`);
  if (session.droppedLines.length > 0) {
    io.stderr.write(
      `note: ${shortPath(join(directory, METRICS_FILE), io)}: line ${session.droppedLines.join(', ')} was no whole record; dropped\n`,
    );
  }
}

function whatNow({ step, done }: Session): string {
  if (done) return `all ${formatCount(step)} steps are done in`;
  return step === 0 ? 'writing' : `going on after step ${formatCount(step)} in`;
}

/** Trains to the end, or until it is to stop. Returns the seconds that the steps took. */
async function train(session: Session, { config, directory }: PreparedRun, isToStop: () => boolean, io: IO): Promise<number> {
  const progress = new Progress(io, session.step, config.steps);
  const from = session.step;
  try {
    while (!session.done && !isToStop()) {
      const turnEnds = io.now() + TURN_MS;
      do session.advance();
      while (!session.done && io.now() < turnEnds);
      if (!session.done) progress.update(session.step, session.smoothedLoss);
      await nextTurn();
    }
  } catch (error) {
    progress.clear();
    if (!(error instanceof NumericalError)) throw error;
    throw new NumericalError(error.message, { hint: wayOut(session, directory, io), cause: error });
  }
  if (session.done && session.step > from) return progress.finish(session.step, session.smoothedLoss);
  progress.clear();
  return 0;
}

function wayOut({ savedAt }: Session, directory: string, io: IO): string {
  return (
    `the checkpoint of step ${savedAt} stands, ${commandName(io)} train --resume ${shellPath(directory, io)} --check-every 1 ` +
    'goes through the steps since then again, a lower --lr may avoid it'
  );
}

async function report(
  run: PreparedRun,
  session: Session,
  { seconds, steps }: { seconds: number; steps: number },
  { json, color }: TrainCommandOptions,
  io: IO,
): Promise<void> {
  const { directory, model, dataset, config, about } = run;
  const losses = createReport(model, session.evaluator, dataset, session.trainExamples, config);
  const result = {
    run: directory,
    checkpoint: join(directory, CHECKPOINT_FILE),
    parameters: parameterCount(model.config),
    steps: config.steps,
    seconds,
    stepsPerSecond: steps > 0 ? steps / seconds : null,
    best: session.best,
    ...losses,
  };
  if (steps > 0 || about.finishedAt === undefined) writeRunFile(directory, { ...about, finishedAt: io.date().toISOString(), result });
  if (json) io.stdout.write(`${JSON.stringify(result)}\n`);
  else await printReport(losses, session.best, dataset, directory, io, color);
}
