/** The network that trains in the page. It lives outside the view: it trains on while you look at another one. */
import { computed, signal } from '@preact/signals';
import { readOption } from '../../../core/optionRow.js';
import type { Finding } from '../../../run/findings/finding.js';
import { findingsOf } from '../../../run/findings/findings.js';
import { RecordsKept } from '../../../run/recordsKept.js';
import { type CurvePoint, RunCurves } from '../../../run/runCurves.js';
import { type Chosen, chosenFor } from '../../../run/trainCommand.js';
import type { DiagnosticsRecord } from '../../../training/diagnostics.js';
import { ask, RefusedError, start } from '../../engine/client.js';
import type { LiveInfo, LiveProgress, LiveSample } from '../../engine/live.js';
import type { NamesId } from '../../engine/names.js';
import { ownNames } from '../../ownNames.js';
import { set, state } from '../../state.js';
import { fieldId, PAGE_OPTIONS } from './options.js';

export type Phase = 'opening' | 'training' | 'paused' | 'done' | 'failed';

/** A run, as far as it has come. */
export interface Live {
  choice: Chosen;
  names: NamesId;
  phase: Phase;
  info: LiveInfo;
  /** Steps done. */
  step: number;
  stepsPerSecond: number;
  /** Of the latest batches; null before the first step. */
  smoothedLoss: number | null;
  /** The name of the file that it was opened from. */
  file?: string;
  /** Why it cannot go further. */
  problem?: RefusedError;
}

/** Names that the network drew after a step. */
export interface Drawn {
  step: number;
  samples: readonly LiveSample[];
}

/** What has been measured so far. */
export interface Course {
  /** Losses of batches, and over the validation names. */
  train: readonly CurvePoint[];
  val: readonly CurvePoint[];
  /** The latest first. */
  drawn: readonly Drawn[];
  diagnostics: readonly DiagnosticsRecord[];
  findings: readonly Finding[];
}

const NOTHING: Course = { train: [], val: [], drawn: [], diagnostics: [], findings: [] };

export const live = signal<Live | undefined>(undefined);
export const course = signal<Course>(NOTHING);
/** They change seldom. */
export const diagnosed = computed(() => course.value.diagnostics);
export const found = computed(() => course.value.findings);
/** Why there is no run with these options, or no checkpoint in a file. */
export const refusal = signal<RefusedError | undefined>(undefined);
/** Whether a run is being prepared. */
export const opening = signal(false);

/** The preset and the options that the form shows. */
export const choice = computed<Chosen>(() => ({ preset: state.value.preset, options: state.value.options }));

/** Milliseconds between two changes of what is shown: drawing must not take the time of training. */
const SHOW_EVERY = 200;
const SAMPLES = 8;
/** Names are drawn at the start, after each evaluation, and when twice as many steps are done as the last time, from 2 · this number on. */
const FIRST_DRAWN = 50;

let losses = new RunCurves('loss');
/** What findings are read from. */
let kept = new RecordsKept();
let drawn: readonly Drawn[] = [];
/** Those of the records; undefined until they are asked for. */
let diagnostics: readonly DiagnosticsRecord[] | undefined;
/** What doctor would say of the records so far; undefined until it is asked. */
let findings: readonly Finding[] | undefined;
/** What came since the last change of what is shown. */
let latest: LiveProgress | undefined;
let timer: ReturnType<typeof setTimeout> | undefined;
/** Counts the runs: an answer about one that is gone says nothing. */
let number = 0;
let lastOpened = 0;
/** The number of the run that names are being drawn from. */
let drawing = -1;
/** Whether more of them became due meanwhile. */
let isDue = false;

/** Shows what came. @param change what is to be shown at once */
function show(change: Partial<Live> = {}): void {
  clearTimeout(timer);
  timer = undefined;
  const { value: before } = live;
  if (!before) return;
  const { step, stepsPerSecond, smoothedLoss } = latest ?? before;
  const now = { ...before, step, stepsPerSecond, smoothedLoss, ...change };
  diagnostics ??= kept.records.filter((record) => 'diagnostics' in record);
  findings = (before.problem === now.problem && findings) || findingsIn(now);
  const curve = (name: string) => [...(losses.curves.get(name)?.points ?? [])];
  course.value = { train: curve('training'), val: curve('validation'), drawn, diagnostics, findings };
  live.value = now;
}

/** What doctor would say of the run so far. */
function findingsIn({ info, problem, step }: Live): readonly Finding[] {
  const diverged = problem && { step, message: problem.message };
  return findingsOf({ config: info.config, vocabulary: info.vocabulary.length, records: kept.records, diverged });
}

function take(progress: LiveProgress): void {
  latest = progress;
  for (const record of progress.records) {
    losses.add(record);
    kept.add(record);
    if ('diagnostics' in record) diagnostics = undefined;
    if ('diagnostics' in record || 'valLoss' in record) findings = undefined;
  }
  const isEvaluated = progress.records.some((record) => 'valLoss' in record);
  if (isEvaluated || progress.step >= 2 * Math.max(FIRST_DRAWN, drawn[0]?.step ?? 0)) void draw();
  timer ??= setTimeout(show, SHOW_EVERY);
}

/** Names of the network as it is now. What becomes due while some are being drawn is drawn after them, once. */
async function draw(): Promise<void> {
  const mine = number;
  isDue = true;
  if (drawing === mine) return;
  drawing = mine;
  try {
    while (isDue && mine === number) {
      isDue = false;
      const { step, samples } = await ask('liveSamples', SAMPLES);
      if (mine !== number || drawn[0]?.step === step) continue;
      drawn = [{ step, samples }, ...drawn];
      show();
    }
  } catch (error) {
    // A network that has diverged draws nothing: its training says so.
    if (!(error instanceof RefusedError)) throw error;
  } finally {
    if (drawing === mine) drawing = -1;
  }
}

/** What the engine makes a run of. */
interface Request {
  /** Default: those of the run. */
  choice?: Chosen;
  names: NamesId;
  /** The name of the file that it is opened from. */
  file?: string;
  ask: () => Promise<LiveInfo>;
}

/** @returns whether there is a run; the run before stays if there is none */
async function open({ choice: asked, names, file, ask: request }: Request): Promise<boolean> {
  const mine = ++lastOpened;
  refusal.value = undefined;
  opening.value = true;
  try {
    const info = await request();
    if (mine !== lastOpened) return false;
    const chosen = asked ?? chosenIn(info);
    if (!asked) set(chosen);
    const phase = info.step === info.config.steps ? 'done' : 'paused';
    number++;
    [losses, kept, drawn, diagnostics, findings, latest] = [new RunCurves('loss'), new RecordsKept(), [], undefined, undefined, undefined];
    live.value = {
      choice: chosen,
      names,
      phase,
      info,
      step: info.step,
      stepsPerSecond: 0,
      smoothedLoss: null,
      ...(file !== undefined && { file }),
    };
    show();
    void draw();
    return true;
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error;
    if (mine === lastOpened) refusal.value = error;
    return false;
  } finally {
    if (mine === lastOpened) opening.value = false;
  }
}

/** The preset and the options of a run, as the form has them. */
function chosenIn({ config, sizes }: LiveInfo): Chosen {
  const { preset, options } = chosenFor(config, sizes);
  return { preset, options: Object.fromEntries(Object.entries(options).filter(([key]) => PAGE_OPTIONS.some((row) => row.key === key))) };
}

/** Trains on. @param most steps; null for all */
function advance(most: number | null): void {
  const mine = number;
  const isLatest = () => mine === number;
  show({ phase: 'training' });
  start('liveTrain', [most], (progress) => isLatest() && take(progress)).result.then(
    (end) => {
      if (!isLatest()) return;
      take(end);
      show({ phase: end.done ? 'done' : 'paused' });
    },
    (error: RefusedError) => isLatest() && show({ phase: 'failed', problem: error }),
  );
}

/** What is typed in the form and is no value, by the keys of the options. */
export const unreadable = signal<ReadonlyMap<string, string>>(new Map());

/** Makes a run with the options of the form. A field without a value is shown, with what is expected, in the terminal's words. */
async function openChosen(): Promise<boolean> {
  for (const row of PAGE_OPTIONS) {
    const text = unreadable.peek().get(row.key);
    if (text === undefined) continue;
    try {
      readOption(row, text);
    } catch (error) {
      refusal.value = new RefusedError({ message: (error as Error).message });
    }
    document.getElementById(fieldId(row))?.focus();
    return false;
  }
  const asked = choice.peek();
  const names = namesNow();
  return open({ choice: asked, names, ask: () => ask('liveOpen', { preset: asked.preset, ...asked.options }, names) });
}

function namesNow(): NamesId {
  return ownNames.peek()?.id ?? null;
}

/** Trains with the options of the form from the start. */
export async function begin(): Promise<void> {
  if (await openChosen()) advance(null);
}

export function resume(): void {
  advance(null);
}

/** Stops after a whole step. */
export function pause(): void {
  void ask('livePause');
}

/** A single step, of a new run if there is none. */
export async function oneStep(): Promise<void> {
  if (live.peek() || (await openChosen())) advance(1);
}

/** The same run before its first step, with its own names: the same seed draws the same initialisation. */
export async function restart(): Promise<void> {
  const now = live.peek();
  if (now) await open({ choice: now.choice, names: now.names, ask: () => ask('liveRestart') });
}

/** Opens a file as a checkpoint: the run resumes after its step, with its options. */
export async function openCheckpoint(file: File): Promise<void> {
  const bytes = new Uint8Array(await file.arrayBuffer());
  const names = namesNow();
  await open({ names, file: file.name, ask: () => ask('liveOpen', {}, names, bytes) });
}

const KEY = 'backprop-ninja training';

/** Where the training was that a reload ended. */
export const interrupted = rememberedStep();

/** What the page before this one left in the tab; undefined if it trained nothing, or the browser keeps nothing. */
function rememberedStep(): { step: number; steps: number } | undefined {
  addEventListener('pagehide', () => {
    const run = live.peek();
    try {
      if (run && run.step > 0) sessionStorage.setItem(KEY, JSON.stringify({ step: run.step, steps: run.info.config.steps }));
    } catch {
      // A browser that stores nothing: the next page says nothing.
    }
  });
  try {
    const { step, steps } = JSON.parse(sessionStorage.getItem(KEY) ?? '{}') as Record<string, unknown>;
    sessionStorage.removeItem(KEY);
    return typeof step === 'number' && typeof steps === 'number' ? { step, steps } : undefined;
  } catch {
    return undefined;
  }
}
