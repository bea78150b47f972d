import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, userInfo } from 'node:os';
import { join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { type ReportData, readReportData, reportNetwork } from '../../../src/run/reportData.js';
import { runCli, SMALL, type Surroundings, trainSmall } from '../../support/fakeIO.js';
import { expectRefusal } from '../../support/faults.js';
import { makeDirectory, put, removeDirectory, snapshot, tempDirectory } from '../../support/tempDirectory.js';

const paths = vi.hoisted(() => ({ report: '' }));
vi.mock('../../../src/node/paths.js', async (importOriginal) => ({
  ...(await importOriginal<typeof import('../../../src/node/paths.js')>()),
  get REPORT() {
    return paths.report;
  },
}));

/** A report as far as this command knows it. */
const EMPTY =
  '<!doctype html>\n<title>Report</title>\n<div id="summary"></div>\n<div id="details"></div>\n<script type="application/json" id="report-data">null</script>\n';

let trained: string;

beforeAll(async () => {
  trained = makeDirectory();
  await trainSmall(trained);
  await runCli(trained, ['train', ...SMALL, '--lr', '0.5', '--out', 'other']);
  return () => removeDirectory(trained);
});

beforeEach(() => {
  paths.report = put(tempDirectory(), 'dist/report.html', EMPTY);
});

/** A copy of the trained runs and their data that a test may change. */
function copyOfRuns(): string {
  const cwd = tempDirectory();
  cpSync(trained, cwd, { recursive: true });
  for (const run of ['run', 'other']) {
    const file = join(cwd, run, 'run.json');
    writeFileSync(file, readFileSync(file, 'utf8').replaceAll(trained, cwd));
  }
  return cwd;
}

function htmlIn(...path: string[]): string {
  return readFileSync(join(...path), 'utf8');
}

/** The runs in a report's file, as a browser reads them. */
function dataIn(...path: string[]): ReportData {
  const [, json] = /<script type="application\/json" id="report-data">(.*?)<\/script>/s.exec(htmlIn(...path)) as RegExpExecArray;
  return readReportData(json) as ReportData;
}

async function reported(cwd: string, ...argv: string[]) {
  return runCli(cwd, ['report', '--print', ...argv]);
}

describe('report', () => {
  it("writes the run's report beside its files, and prints the path", async () => {
    const cwd = copyOfRuns();
    const { exitCode, stdout, stderr } = await reported(cwd, 'run');
    expect({ exitCode, stdout, stderr }).toEqual({ exitCode: 0, stdout: `${join(cwd, 'run', 'report.html')}\n`, stderr: '' });
    const { runs, sweep, live } = dataIn(cwd, 'run', 'report.html');
    expect({ sweep, live }).toEqual({ sweep: null, live: false });
    const [run] = runs;
    const own = JSON.parse(readFileSync(join(cwd, 'run', 'run.json'), 'utf8'));
    expect(run).toMatchObject({ name: 'run', step: 50, config: own.config, dataNames: 60, gradCheck: { ok: true, tensors: 7 }, notes: [] });
    expect(run.result).toMatchObject({ valLoss: own.result.valLoss, samples: own.result.samples });
    expect(run.command).toBe('backprop-ninja train --embedding 4 --hidden 8 --steps 50 --data FILE');
    expect(run.losses.at(-1)?.[0]).toBe(50);
    expect(reportNetwork(run)?.tensors.W1.shape).toEqual([12, 8]);
    expect(htmlIn(cwd, 'run', 'report.html')).toContain(`its validation loss is ${own.result.valLoss.toFixed(4)}`);
  });

  it('opens it in the browser', async () => {
    const opened: string[] = [];
    const surroundings: Surroundings = { env: { DISPLAY: ':0' }, openInBrowser: async (path) => void opened.push(path) };
    const cwd = copyOfRuns();
    const { exitCode, stderr } = await runCli(cwd, ['report', 'run'], surroundings);
    expect({ exitCode, stderr, opened }).toEqual({
      exitCode: 0,
      stderr: 'Opening in your browser:\n',
      opened: [join(cwd, 'run', 'report.html')],
    });
  });

  it('without a browser prints the path and why', async () => {
    const cwd = copyOfRuns();
    const { exitCode, stderr } = await runCli(cwd, ['report', 'run']);
    expect({ exitCode, stderr }).toEqual({
      exitCode: 0,
      stderr: 'No browser was found: there is no display. Open this file in one, here or on another machine:\n',
    });
  });

  it('replaces its own report, and no other file without --force', async () => {
    const cwd = copyOfRuns();
    for (let time = 0; time < 2; time++) expect(await reported(cwd, 'run')).toMatchObject({ exitCode: 0 });
    put(cwd, 'other/report.html', 'mine');
    expectRefusal(await reported(cwd, 'other'), 2, /report\.html exists; --force replaces it/);
    expect(await reported(cwd, 'other', '--force')).toMatchObject({ exitCode: 0 });
  });

  it('changes no file of the run', async () => {
    const cwd = copyOfRuns();
    const before = snapshot(cwd);
    await reported(cwd, 'run', '--out', 'r.html');
    rmSync(join(cwd, 'r.html'));
    expect(snapshot(cwd)).toEqual(before);
  });

  it('holds nothing of the machine, and no name of the data set but samples', async () => {
    const cwd = copyOfRuns();
    await reported(cwd, 'run');
    const html = htmlIn(cwd, 'run', 'report.html');
    expect(html).not.toContain(cwd);
    expect(html).not.toContain('names.txt');
    for (const word of [hostname(), userInfo().username, process.version]) expect(html).not.toMatch(new RegExp(`["/ ]${word}["/ ]`));
    const { samples } = dataIn(cwd, 'run', 'report.html').runs[0].result as { samples: string[] };
    const names = readFileSync(join(cwd, 'names.txt'), 'utf8')
      .trim()
      .split('\n')
      .filter((name) => name.length > 4 && !samples.includes(name));
    expect(names.filter((name) => new RegExp(`\\b${name}\\b`).test(html))).toEqual([]);
  });

  it('is the same file each time', async () => {
    const cwd = copyOfRuns();
    await reported(cwd, 'run', '--out', 'a.html');
    await reported(cwd, 'run', '--out', 'b.html');
    expect(htmlIn(cwd, 'a.html')).toBe(htmlIn(cwd, 'b.html'));
  });

  it.each<[string, string[], string[]]>([
    ['in two directories', ['a/run', 'b/run', 'other'], ['a/run', 'b/run', 'other']],
    ['that is one checkpoint beside another', ['a/run/best.safetensors', 'a/run'], ['run (best)', 'run']],
    ['in a directory and below it', ['run', 'a/run'], ['run', 'a/run']],
    ['outside the working directory, which is not shown', ['../a/run', '../b/run'], ['run', 'run (2)']],
  ])('tells runs of one name apart: %s', async (_, argv, names) => {
    const root = copyOfRuns();
    for (const name of ['a', 'b']) cpSync(join(root, 'run'), join(root, name, 'run'), { recursive: true });
    const cwd = argv[0].startsWith('..') ? join(root, 'other') : root;
    expect(await reported(cwd, ...argv, '--out', 'r.html')).toMatchObject({ exitCode: 0 });
    expect(dataIn(cwd, 'r.html').runs.map(({ name }) => name)).toEqual(names);
  });

  it.each<[string, string[], RegExp]>([
    ['a file that is no page', ['run', '--out', 'r.txt'], /did you mean --out r\.txt\.html\?/],
    ['a run twice', ['run', 'run/checkpoint.safetensors'], /named twice/],
    ['--data with several runs', ['run', 'other', '--data', 'names.txt'], /--data goes with one run/],
    ['a file that it is made from', ['run', '--out', 'names.txt', '--force'], /would overwrite what it is made from/],
  ])('refuses %s', async (_, argv, message) => {
    expectRefusal(await reported(copyOfRuns(), ...argv), 2, message);
  });

  it.each<[string, string, number]>([
    ['nothing', 'none', 4],
    ['a directory without a checkpoint', 'empty', 4],
  ])('of %s is one clear line', async (_, run, code) => {
    const cwd = copyOfRuns();
    mkdirSync(join(cwd, 'empty'));
    expectRefusal(await reported(cwd, run), code, /no /);
  });
});

describe('a report of a run of which something is missing', () => {
  it('without its data set has the result that run.json holds, and says so', async () => {
    const cwd = copyOfRuns();
    rmSync(join(cwd, 'names.txt'));
    const { exitCode, stderr } = await reported(cwd, 'run');
    expect(exitCode).toBe(0);
    expect(stderr).toMatch(/^note: the report is made without the data set: cannot read .*names\.txt/);
    const [run] = dataIn(cwd, 'run', 'report.html').runs;
    expect(run.result?.samples).toHaveLength(20);
    expect(run.notes).toEqual(['The data set was not there when the report was written: what needs it is left out']);
  });

  it('without data set and run.json has its curves and its last validation loss', async () => {
    const cwd = copyOfRuns();
    for (const file of ['names.txt', 'run/run.json']) rmSync(join(cwd, file));
    expect(await reported(cwd, 'run')).toMatchObject({ exitCode: 0 });
    expect(dataIn(cwd, 'run', 'report.html').runs[0].result).toBeNull();
    expect(htmlIn(cwd, 'run', 'report.html')).toContain('Its validation loss is');
  });

  it('that was stopped is evaluated as it is', async () => {
    const cwd = copyOfRuns();
    const argv = ['train', ...SMALL, '--steps', '100000', '--eval-every', '20', '--out', 'stopped'];
    await runCli(cwd, argv, { stop: { signal: 'SIGINT', at: 400 } });
    expect(await reported(cwd, 'stopped')).toMatchObject({ exitCode: 0 });
    const [run] = dataIn(cwd, 'stopped', 'report.html').runs;
    expect(run.step).toBeLessThan(100_000);
    expect(run.result?.trainLoss).toBeGreaterThan(0);
    expect(run.statistics).not.toBeNull();
    expect(htmlIn(cwd, 'stopped', 'report.html')).toContain('Not finished: ');
  });

  it('without metrics, or with damaged ones, has no curves, and says so', async () => {
    const cwd = copyOfRuns();
    rmSync(join(cwd, 'run/metrics.jsonl'));
    put(cwd, 'other/metrics.jsonl', '{"step":');
    await reported(cwd, 'run');
    await reported(cwd, 'other');
    expect(htmlIn(cwd, 'run', 'report.html')).toContain('There is no metrics.jsonl beside the checkpoint');
    expect(htmlIn(cwd, 'other', 'report.html')).toContain('it has no curves');
  });

  it.each<[string, string[]]>([
    ['of several blocks', ['--hidden', '6,5,4']],
    ['without batch norm', ['--norm', 'none']],
    ['by Adam', ['--optimizer', 'adamw', '--clip', '1']],
  ])('is a report of a run %s', async (_, options) => {
    const cwd = copyOfRuns();
    await runCli(cwd, ['train', ...SMALL, ...options, '--out', 'new']);
    expect(await reported(cwd, 'new')).toMatchObject({ exitCode: 0, stderr: '' });
    const [run] = dataIn(cwd, 'new', 'report.html').runs;
    expect(run.gradCheck?.ok).toBe(true);
    expect(reportNetwork(run)).toBeDefined();
  });

  it('is a report of best.safetensors, at its step', async () => {
    const cwd = copyOfRuns();
    await runCli(cwd, ['train', ...SMALL, '--eval-every', '10', '--out', 'new']);
    expect(await reported(cwd, 'new/best.safetensors')).toMatchObject({ exitCode: 0 });
    const [run] = dataIn(cwd, 'new', 'report.html').runs;
    expect(run.step).toBe(run.best?.step);
  });
});

describe('a report of several runs', () => {
  it('compares them, in a file of the current directory, without their networks', async () => {
    const cwd = copyOfRuns();
    const { exitCode, stdout } = await reported(cwd, 'run', 'other');
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: `${join(cwd, 'report.html')}\n` });
    const { runs } = dataIn(cwd, 'report.html');
    expect(runs.map(({ name, parameters }) => [name, parameters])).toEqual([
      ['run', null],
      ['other', null],
    ]);
    expect(htmlIn(cwd, 'report.html')).toContain('Options that differ');
  });
});

describe('a report of a sweep', () => {
  /** A sweep of which two runs are done. */
  function sweepOf(cwd: string): void {
    const plan = {
      vary: ['lr=0.1/0.5/0.7'],
      random: null,
      seed: 1,
      train: ['--data', '/home/me/names.txt', '--init=/home/me/w.npz', '--steps', '50'],
      dataSha256: '0'.repeat(64),
      runs: [{ lr: '0.1' }, { lr: '0.5' }, { lr: '0.7' }],
    };
    put(cwd, 'sweep/sweep.json', JSON.stringify(plan));
    const result = (run: string, lr: string, valLoss: number) =>
      JSON.stringify({ run, options: { lr }, seconds: 1, trainLoss: 2, valLoss });
    put(cwd, 'sweep/runs.jsonl', `${result('0001', '0.1', 2.5)}\n${result('0002', '0.5', 2.25)}\n{"run":`);
    cpSync(join(cwd, 'run'), join(cwd, 'sweep/0001'), { recursive: true });
  }

  it('has the losses by value, the best runs, the curves of those that are there, and no path', async () => {
    const cwd = copyOfRuns();
    sweepOf(cwd);
    const before = readFileSync(join(cwd, 'sweep/runs.jsonl'), 'utf8');
    expect(await reported(cwd, 'sweep')).toMatchObject({ exitCode: 0, stdout: `${join(cwd, 'sweep', 'report.html')}\n` });
    const { runs, sweep } = dataIn(cwd, 'sweep', 'report.html');
    expect(runs.map(({ name }) => name)).toEqual(['0001']);
    expect(sweep).toMatchObject({ planned: 3, done: 2, shared: '--data FILE --init FILE --steps 50' });
    expect(htmlIn(cwd, 'sweep', 'report.html')).not.toContain('/home/me');
    expect(readFileSync(join(cwd, 'sweep/runs.jsonl'), 'utf8')).toBe(before);
  });

  it('of which no run is done is one clear line', async () => {
    const cwd = copyOfRuns();
    sweepOf(cwd);
    for (const name of ['runs.jsonl', '0001']) rmSync(join(cwd, 'sweep', name), { recursive: true });
    expectRefusal(await reported(cwd, 'sweep'), 4, /no run of the sweep in sweep is done/);
  });

  it('is not beside runs', async () => {
    const cwd = copyOfRuns();
    sweepOf(cwd);
    expectRefusal(await reported(cwd, 'sweep', 'run'), 2, /sweep is a sweep/);
  });
});
