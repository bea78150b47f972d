import type { Job } from '../../core/job.js';
import { findCheckpoint, findRunDirectory } from '../../node/runDirectory.js';
import { type CheckpointComparison, compareCheckpoints, type SettingDifference, settingDifferences } from '../../run/compareCheckpoints.js';
import { compareRecords, type Divergence, type RecordComparison } from '../../run/compareRecords.js';
import { defineCommand } from '../command.js';
import { EXIT_NO, EXIT_SIGNAL } from '../terminal/exitCodes.js';
import { formatCount, formatCountOf } from '../terminal/format.js';
import type { StopSignal } from '../terminal/io.js';
import { Status } from '../terminal/status.js';
import { inTurns } from '../terminal/turns.js';
import {
  afterStep,
  checkpointLines,
  flawLines,
  type NotCompared,
  partsLines,
  recordCounts,
  recordLines,
  type Sides,
  scopeLines,
  tensorList,
} from './describeComparison.js';
import { diffWeights } from './diffWeights.js';
import { hasReport, reportDifferences, runFileProblems } from './runFile.js';
import { type FlawedLine, StoredRun } from './storedRun.js';

export const diff = defineCommand({
  description: 'Compares everything that two runs hold, and shows where they first diverge.',
  arguments: [
    { name: '<run-a>', description: 'run directory' },
    { name: '<run-b>', description: 'run directory' },
  ],
  examples: [['backprop-ninja diff runs/0001 runs/0002', 'the first differing step and tensors, and all differing settings']],
  async run(context, runA: string, runB: string) {
    const { io, json, printJson, paint } = context;
    const [a, b] = [runA, runB].map((run) => new StoredRun(findCheckpoint(io.cwd, findRunDirectory(io.cwd, run)), io));
    if (a.isImported !== b.isImported) return diffWeights(a, b, differingSettings(a, b), context);
    const job = compareRecords(a.records(), b.records(), [a.step, b.step]);
    const status = new Status(io);
    let step: number | undefined;
    const follow = function* (): Job<RecordComparison> {
      for (let part = job.next(); ; part = job.next()) {
        if (part.done) return part.value;
        step = part.value;
        yield;
      }
    };
    const { records, signal } = await inTurns(io, async (turns) => ({
      records: await turns.run(follow(), () => {
        if (step !== undefined) status.update(() => `comparing the records of step ${formatCount(step as number)}`);
      }),
      signal: turns.signal,
    }));
    status.clear();
    if (!records) return EXIT_SIGNAL[signal as StopSignal];
    const found = compareRuns(a, b, records);
    const { same } = found;
    if (json) printJson(jsonOf(found));
    else {
      const { green, red } = await paint();
      const [verdict, ...scope] = endLines(found);
      io.stdout.write(`${[...differenceLines(found, [runA, runB]), (same ? green : red)(verdict), ...scope].join('\n')}\n`);
    }
    return same ? 0 : EXIT_NO;
  },
});

/** Two checkpoints of one step. */
interface ComparedCheckpoints extends CheckpointComparison {
  step: number;
}

/** Everything that was found about two runs. */
interface RunsComparison {
  same: boolean;
  settings: SettingDifference[];
  programs: [string, string];
  records: RecordComparison;
  checkpoints: ComparedCheckpoints | undefined;
  best: ComparedCheckpoints | undefined;
  /** Keys of the reports in run.json that differ, though the checkpoints do not; undefined if they were not compared. */
  report: string[] | undefined;
  flaws: FlawedLine[];
  /** What a run.json says otherwise than the checkpoint beside it. */
  problems: string[];
  notCompared: NotCompared[];
}

function compareRuns(a: StoredRun, b: StoredRun, records: RecordComparison): RunsComparison {
  const settings = differingSettings(a, b);
  const notCompared: NotCompared[] = [];
  if (!a.hasMetrics && !b.hasMetrics) notCompared.push({ what: 'records', reason: 'neither run has a metrics.jsonl' });
  if (records.later > 0) {
    notCompared.push({ what: formatCountOf(records.later, 'record'), reason: 'later than the end of the shorter run' });
  }
  if (a.step !== b.step) {
    notCompared.push({ what: 'checkpoints', reason: `one is of step ${formatCount(a.step)}, the other of step ${formatCount(b.step)}` });
  }
  const checkpoints = a.step === b.step ? { step: a.step, ...compareCheckpoints(a.checkpoint, b.checkpoint) } : undefined;
  const best = compareBest(a, b, notCompared);
  for (const { part, reason } of checkpoints?.notCompared ?? []) notCompared.push({ what: part, reason });
  const flaws = [...a.flaws, ...b.flaws];
  const isSame = (compared: ComparedCheckpoints | undefined) => !compared || compared.differences.length === 0;
  const something = checkpoints !== undefined || records.upTo !== undefined;
  const report = compareReports(a, b, notCompared, checkpoints !== undefined && isSame(checkpoints));
  const problems = [a, b].flatMap((run) => runFileProblems(run, run.runFile));
  return {
    // More steps extend a run; they do not make another one of it.
    same:
      something &&
      records.same &&
      isSame(checkpoints) &&
      isSame(best) &&
      !report?.length &&
      flaws.length === 0 &&
      problems.length === 0 &&
      settings.every(({ key }) => key === 'steps'),
    settings,
    programs: [a.checkpoint.program, b.checkpoint.program],
    records,
    checkpoints,
    best,
    report,
    flaws,
    problems: [...new Set(problems)],
    notCompared,
  };
}

/** Compares the reports of finished runs, if the checkpoints that they are about are the same. */
function compareReports(a: StoredRun, b: StoredRun, notCompared: NotCompared[], isSame: boolean): string[] | undefined {
  if (!isSame) return undefined;
  if (hasReport(a) && hasReport(b)) return reportDifferences(a, b);
  notCompared.push({ what: 'reports in run.json', reason: hasReport(a) || hasReport(b) ? 'one run has none' : 'neither run has one' });
  return undefined;
}

function differingSettings(a: StoredRun, b: StoredRun): SettingDifference[] {
  const [left, right] = [a.checkpoint.dataSha256, b.checkpoint.dataSha256];
  const key = 'SHA-256 of the data';
  return [
    ...settingDifferences(a.checkpoint.config, b.checkpoint.config),
    ...(left === right ? [] : [{ key, option: key, values: [left, right] } as const]),
  ].map(({ values, ...rest }) => ({ ...rest, values: [...values] }));
}

/** Compares the best checkpoints, if both runs have one of the same step. */
function compareBest(a: StoredRun, b: StoredRun, notCompared: NotCompared[]): ComparedCheckpoints | undefined {
  const what = 'best checkpoints';
  const [left, right] = [a.loadBest(), b.loadBest()];
  if (!left || !right) {
    notCompared.push({ what, reason: left || right ? 'one run has none' : 'neither run has one' });
    return undefined;
  }
  const [step, other] = [left.state.step, right.state.step];
  if (step === other) return { step, ...compareCheckpoints(left, right) };
  notCompared.push({ what, reason: `one is of step ${formatCount(step)}, the other of step ${formatCount(other)}` });
  return undefined;
}

function jsonOf({ same, settings, programs, records, checkpoints, best, report, flaws, problems, notCompared }: RunsComparison) {
  return {
    same,
    upTo: lastCompared({ records, checkpoints }) ?? null,
    /** Steps at which both runs recorded hashes. */
    compared: records.kinds.hashes.compared,
    divergence: divergenceOf({ records, checkpoints }) ?? null,
    config: settings,
    programs,
    records: records.kinds,
    checkpoint: checkpoints ?? null,
    best: best ?? null,
    report: report ?? null,
    flaws,
    problems,
    notCompared,
  };
}

function lastCompared({ records, checkpoints }: Pick<RunsComparison, 'records' | 'checkpoints'>): number | undefined {
  return checkpoints?.step ?? records.upTo;
}

function differenceLines(
  { settings, programs, records, checkpoints, best, report = [], flaws, problems }: RunsComparison,
  sides: Sides,
): string[] {
  const [program, other] = programs;
  return [
    ...settings.map(({ option, values }) => `${option}: ${values.map((value) => value ?? 'none').join(' and ')}`),
    ...(program === other ? [] : [`note: trained by ${program} and by ${other}`]),
    ...recordLines(records, sides),
    ...(checkpoints ? checkpointLines(`checkpoints ${afterStep(checkpoints.step)}`, checkpoints) : []),
    ...(best ? checkpointLines(`best checkpoints, ${afterStep(best.step)}`, best) : []),
    ...(report.length > 0 ? [`reports in run.json: ${tensorList(report)}`] : []),
    ...flawLines(flaws),
    ...problems,
  ];
}

/** The verdict, what was compared, and what was not. */
function endLines(found: RunsComparison): string[] {
  const { records, checkpoints, best, report, notCompared } = found;
  const compared = [
    'settings and data',
    ...recordCounts(records),
    ...partsLines([
      [`checkpoints ${afterStep(checkpoints?.step ?? 0)}`, checkpoints],
      [`best checkpoints, ${afterStep(best?.step ?? 0)}`, best],
    ]),
    ...(report ? ['reports in run.json'] : []),
  ];
  return [verdict(found), ...scopeLines(compared, notCompared)];
}

/** The first step after which parameters differ, by the hashes or by the checkpoints. */
function divergenceOf({ records, checkpoints }: Pick<RunsComparison, 'records' | 'checkpoints'>): Divergence | undefined {
  const parameters = checkpoints?.differences.find(({ part }) => part === 'parameters');
  return records.divergence ?? (checkpoints && parameters && { step: checkpoints.step, tensors: parameters.names });
}

function verdict(found: RunsComparison): string {
  const { same, records } = found;
  const last = lastCompared(found);
  if (last === undefined) return 'the runs have no recorded step in common';
  if (same) return `the same up to step ${formatCount(last)}`;
  const { lastEqual, firstDifference } = records;
  const divergence = divergenceOf(found);
  if (!divergence) {
    if (firstDifference !== undefined) return `the runs differ ${afterStep(firstDifference)}, but no compared parameters do`;
    return hasOtherSettingsOnly(found) ? `the same up to step ${formatCount(last)}, except for the settings` : 'the runs differ';
  }
  const since = lastEqual === undefined ? 'the runs differ from the start' : `the runs diverge ${afterStep(lastEqual)}`;
  return `${since}: ${afterStep(divergence.step)}, ${tensorList(divergence.tensors)}`;
}

function hasOtherSettingsOnly({ checkpoints, best, report, flaws, problems }: RunsComparison): boolean {
  return (
    !report?.length &&
    flaws.length === 0 &&
    problems.length === 0 &&
    [checkpoints, best].every((one) => !one || one.differences.length === 0)
  );
}
