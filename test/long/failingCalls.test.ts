/** A file system whose k-th call fails, for every k: `train` must report it in one line and lose nothing. */
import { appendFileSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { type Outcome, runCli, writeNames } from '../support/fakeIO.js';
import { makeDirectory, put, removeDirectory, snapshot } from '../support/tempDirectory.js';

interface Call {
  name: string;
  /** The name of its file; of those in /proc, the path. */
  file: string;
}

/** The failing call throws this code; or writes half; or writes nothing, like all later calls; or reports a size that is too small. */
type Fault = 'ENOSPC' | 'EIO' | 'EDQUOT' | 'half' | 'nothing' | 'shorter';

const system = vi.hoisted(() => ({
  /** Whether calls are counted and may fail. */
  armed: false,
  calls: [] as Call[],
  /** Saved checkpoints in order, each with the call that renamed it. */
  saves: [] as { call: number; bytes: string }[],
  failing: -1,
  fault: 'EIO' as Fault,
  /** Whether the disk is full from the failing call on. */
  staysFull: false,
}));

vi.mock('node:fs', async (importOriginal) => {
  const fs = await importOriginal<typeof import('node:fs')>();
  const NEEDS_SPACE = ['writeSync', 'fsyncSync', 'mkdirSync', 'linkSync', 'symlinkSync'];
  const PUTS_IN_PLACE = ['renameSync', 'linkSync', 'symlinkSync'];
  const ENDLESS = 50;

  const throwError = (code: string, name: string, args: unknown[]): never => {
    const path = typeof args[0] === 'string' ? ` '${args[0]}'` : '';
    throw Object.assign(new Error(`${code}: simulated, ${name}${path}`), { code, syscall: name });
  };
  /** The paths of the open files, by descriptor. */
  const paths = new Map<unknown, unknown>();
  const fileOf = (name: string, args: unknown[]) => {
    const path = String(PUTS_IN_PLACE.includes(name) ? args[1] : (paths.get(args[0]) ?? args[0]));
    return path.startsWith('/proc/') ? path : path.slice(path.lastIndexOf('/') + 1);
  };
  const fail = (name: string, work: () => unknown, args: unknown[]): unknown => {
    if (system.fault === 'shorter') return { size: (work() as { size: number }).size - 1 };
    if (system.fault === 'half') {
      const [file, bytes, offset] = args as [number, Uint8Array, number];
      return fs.writeSync(file, bytes, offset, Math.floor((bytes.length - offset) / 2));
    }
    // The descriptor is closed even if close reports an error.
    if (name === 'closeSync') work();
    return throwError(system.fault, name, args);
  };
  const open = (name: string, work: () => unknown, args: unknown[]): unknown => {
    const result = work();
    if (name === 'openSync') paths.set(result, args[0]);
    return result;
  };
  const enter = (name: string, work: () => unknown, args: unknown[]): unknown => {
    const file = fileOf(name, args);
    // Files of the program itself do not count.
    if (!system.armed || ['package.json', 'kernels.wasm', 'kernelsShared.wasm'].includes(file)) return open(name, work, args);
    const call = system.calls.push({ name, file }) - 1;
    const late = system.failing >= 0 && call >= system.failing;
    if (late && system.fault === 'nothing' && name === 'writeSync') {
      return call < system.failing + ENDLESS ? 0 : throwError('endless calls', name, args);
    }
    if (call === system.failing && system.fault !== 'nothing') return fail(name, work, args);
    if (late && system.staysFull && NEEDS_SPACE.includes(name)) throwError('ENOSPC', name, args);
    // No power cut happens in a test, so nothing needs to reach the disk.
    const result = name === 'fsyncSync' ? undefined : open(name, work, args);
    if (name === 'renameSync' && file === 'checkpoint.safetensors') {
      system.saves.push({ call, bytes: fs.readFileSync(args[1] as string, 'latin1') });
    }
    return result;
  };

  const FALLIBLE = [
    'accessSync',
    'closeSync',
    'fstatSync',
    'fsyncSync',
    'linkSync',
    'lstatSync',
    'mkdirSync',
    'openSync',
    'readdirSync',
    'readFileSync',
    'readSync',
    'realpathSync',
    'renameSync',
    'rmSync',
    'statfsSync',
    'statSync',
    'symlinkSync',
    'unlinkSync',
    'writeSync',
  ] as const;
  const wrapped = FALLIBLE.map((name) => {
    const original = fs[name] as (...args: unknown[]) => unknown;
    return [name, (...args: unknown[]) => enter(name, () => original(...args), args)];
  });
  return { ...fs, ...Object.fromEntries(wrapped) };
});

interface Save {
  call: number;
  bytes: string;
}

interface Try {
  outcome: Outcome;
  calls: Call[];
  saves: Save[];
}

/** Runs a command line in which the k-th call fails; if k is -1, none does. */
async function runFailing(cwd: string, argv: readonly string[], k = -1, fault: Fault = 'EIO', staysFull = false): Promise<Try> {
  Object.assign(system, { armed: true, calls: [], saves: [], failing: k, fault, staysFull });
  try {
    const outcome = await runCli(cwd, argv);
    return { outcome, calls: system.calls, saves: system.saves };
  } finally {
    system.armed = false;
  }
}

const SHAPE = ['--data', 'names.txt', '--steps', '12', '--hidden', '8', '--embedding', '4', '--eval-every', '4', '--out', 'run'];
const START = ['train', ...SHAPE, '--save-every', '3', '--force'];
const RESUME = ['train', '--resume', 'run', '--save-every', '3'];
const CHECKPOINT = 'checkpoint.safetensors';
const RESULTS = [CHECKPOINT, 'best.safetensors', 'metrics.jsonl'];

function results(cwd: string): Record<string, string> {
  return Object.fromEntries(RESULTS.map((name) => [name, readFileSync(join(cwd, 'run', name), 'latin1')]));
}

/** A temporary file of a killed process, with an ID that no process can have. */
const LEFTOVER = '.4194304.tmp';

/** What says how many CPUs a control group may use. */
const QUOTAS = ['cpu.max', 'cpu.cfs_quota_us', 'cpu.cfs_period_us'];

/**
 * What the lock tells other containers is only more if the system answers, and so are the threads. A file that cannot be removed does no harm; the lock of a process
 * that has ended is taken over.
 */
function isHarmless({ name, file }: Call): boolean {
  return (
    (file.startsWith('/proc/') && !file.endsWith('/lock')) ||
    QUOTAS.includes(file) ||
    (name === 'rmSync' && (file === 'lock' || file.endsWith('.tmp')))
  );
}

function isWrite({ name }: Call): boolean {
  return name === 'writeSync';
}

/** Calls that make a rename durable: open, sync and close the directory. */
const SYNCING = 3;

interface Scenario {
  title: string;
  argv: readonly string[];
  /** Files that may change before the first save; all others stay unchanged. */
  changedFirst: readonly string[];
  /** Creates the files that the command finds. */
  prepare: (cwd: string) => Promise<void>;
}

const SCENARIOS: readonly Scenario[] = [
  {
    title: 'train over an older run',
    argv: START,
    changedFirst: [],
    prepare: async (cwd) => {
      const { exitCode, stderr } = await runCli(cwd, ['train', ...SHAPE, '--force', '--seed', '2']);
      expect(exitCode, stderr).toBe(0);
    },
  },
  {
    title: 'train --resume, with an incomplete line in the metrics and a temporary file of a killed process',
    argv: RESUME,
    changedFirst: ['metrics.jsonl', 'best.safetensors', 'run.json'],
    prepare: async (cwd) => {
      const { exitCode, stderr } = await runCli(cwd, START, { tick: 60, stop: { signal: 'SIGINT', at: 1000 } });
      expect(exitCode, stderr).toBe(130);
      expect(stderr).toMatch(/saved after step [56] of 12/);
      appendFileSync(join(cwd, 'run', 'metrics.jsonl'), '{"step": 7, "lo');
      put(cwd, join('run', LEFTOVER), 'half a checkpo');
    },
  },
];

describe.each(SCENARIOS)('$title', ({ argv, changedFirst, prepare }) => {
  let cwd: string;
  /** The files that the command finds. */
  let found: Record<string, string>;
  /** Outcome and files of the command without a failing call. */
  let faultless: Try;
  let expected: Record<string, string>;
  /** States of the directory that were resumed already, with the expected result. */
  const seen = new Set<string>();

  beforeAll(async () => {
    cwd = makeDirectory();
    writeNames(cwd);
    await prepare(cwd);
    found = snapshot(join(cwd, 'run'));
    faultless = await runFailing(cwd, argv);
    expect(faultless.outcome.exitCode, faultless.outcome.stderr).toBe(0);
    expected = results(cwd);
    return () => removeDirectory(cwd);
  });

  /** The numbers of the calls to let fail. Those after the result in run.json only release the lock. */
  function numbers(which: (call: Call, k: number) => boolean): number[] {
    const last = faultless.calls.findLastIndex(({ name, file }) => name === 'renameSync' && file === 'run.json');
    return [...faultless.calls.keys()].filter((k) => k <= last + SYNCING && which(faultless.calls[k], k));
  }

  function show(k: number): string {
    const { name, file } = faultless.calls[k];
    return `call ${k} of ${faultless.calls.length}, ${name} of ${file}`;
  }

  async function failAt(k: number, fault: Fault, staysFull = false): Promise<Try> {
    rmSync(join(cwd, 'run'), { recursive: true });
    for (const [name, bytes] of Object.entries(found)) put(cwd, `run/${name}`, Buffer.from(bytes, 'latin1'));
    return runFailing(cwd, argv, k, fault, staysFull);
  }

  /** Expects one line that names a file, an intact checkpoint, no leftovers, and the same results once the run is resumed. */
  async function expectRefusal(k: number, fault: Fault, staysFull = false): Promise<void> {
    const { outcome } = await failAt(k, fault, staysFull);
    // A run needs no link to it: a note says that there is none.
    if (outcome.stderr.includes('to use this run, name its directory')) {
      expect({ exitCode: outcome.exitCode, ...results(cwd) }, show(k)).toEqual({ exitCode: 0, ...expected });
      return;
    }
    expect(outcome.exitCode, `${show(k)}: ${outcome.stderr}`).toBe(4);
    const lines = outcome.stderr.split('\n');
    expect(lines.at(-2), show(k)).toMatch(/^error: ./);
    expect(lines.at(-2), show(k)).toMatch(/\brun\b|names\.txt/);
    expect(lines.filter((line) => /^error:|^ +at /.test(line)).length, `${show(k)}: ${outcome.stderr}`).toBe(1);
    expect(outcome.stderr, show(k)).not.toContain('endless calls');

    const left = snapshot(join(cwd, 'run'));
    const saved = faultless.saves.filter(({ call }) => call < k).at(-1);
    expect(left[CHECKPOINT] === (saved?.bytes ?? found[CHECKPOINT]), `${show(k)}: the last saved checkpoint is intact`).toBe(true);
    const temporaries = Object.keys(left).filter((entry) => entry.endsWith('.tmp') && !(entry in found));
    expect(temporaries, show(k)).toEqual([]);
    expect(left, show(k)).not.toHaveProperty('lock');
    if (!saved) {
      for (const entry of Object.keys(found).filter((entry) => !changedFirst.includes(entry) && !entry.endsWith('.tmp'))) {
        expect(left[entry] === found[entry], `${show(k)}: ${entry} is unchanged`).toBe(true);
      }
    }
    await expectSameEnd(left, show(k));
  }

  /** Once the file system works again, the run ends with the expected bytes. Equal states of the directory are resumed only once. */
  async function expectSameEnd(left: Record<string, string>, title: string): Promise<void> {
    const state = JSON.stringify(left);
    if (seen.has(state)) return;
    seen.add(state);
    const checkpoint = readFileSync(join(cwd, 'run', CHECKPOINT), 'latin1');
    const { exitCode, stderr } = await runCli(cwd, checkpoint === found[CHECKPOINT] ? argv : RESUME);
    expect(exitCode, `${title}, then: ${stderr}`).toBe(0);
    const ended = results(cwd);
    for (const name of RESULTS)
      expect(ended[name] === expected[name], `${title}: ${name} has the bytes of a run without faults`).toBe(true);
    expect(readdirSync(join(cwd, 'run')).sort(), title).toEqual([...RESULTS, 'run.json'].sort());
    expect(JSON.parse(readFileSync(join(cwd, 'run', 'run.json'), 'utf8')), title).toHaveProperty('finishedAt');
  }

  it('calls the file system often, and saves several times', () => {
    expect(faultless.calls.length).toBeGreaterThan(80);
    expect(faultless.saves.length).toBeGreaterThan(1);
  });

  it.each(['ENOSPC', 'EIO', 'EDQUOT'] as const)('loses nothing when the k-th call fails with %s, for every k', async (code) => {
    for (const k of numbers((call) => !isHarmless(call))) await expectRefusal(k, code);
  });

  it('loses nothing when the disk is full from the k-th call on, for every k that needs space', async () => {
    for (const k of numbers(({ name }) => name === 'writeSync' || name === 'fsyncSync')) await expectRefusal(k, 'ENOSPC', true);
  });

  it('loses nothing when the disk has space for half of the bytes of the k-th call', async () => {
    for (const k of numbers(isWrite)) await expectRefusal(k, 'half', true);
  });

  it('ends when the k-th call and all later ones write nothing and report no error', async () => {
    for (const k of numbers(isWrite)) await expectRefusal(k, 'nothing');
  });

  it('notices a file that is shorter than the bytes written', async () => {
    const { calls } = faultless;
    for (const k of numbers(({ name }, k) => name === 'fstatSync' && isWrite(calls[k - 1]))) await expectRefusal(k, 'shorter');
  });

  it('completes when the k-th call writes only half of its bytes', async () => {
    for (const k of numbers(isWrite)) {
      const { outcome } = await failAt(k, 'half');
      expect(outcome.exitCode, `${show(k)}: ${outcome.stderr}`).toBe(0);
      expect(results(cwd), show(k)).toEqual(expected);
    }
  });

  it('completes when the start time of the process is unknown, or a file cannot be removed', async () => {
    for (const k of numbers(isHarmless)) {
      const { outcome } = await failAt(k, 'EIO');
      expect(outcome.exitCode, `${show(k)}: ${outcome.stderr}`).toBe(0);
      expect(results(cwd), show(k)).toEqual(expected);
    }
  });
});
