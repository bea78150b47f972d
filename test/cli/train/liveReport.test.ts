import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { type ReportData, readReportData } from '../../../src/run/reportData.js';
import { runCli, SMALL, type Surroundings, writeNames } from '../../support/fakeIO.js';
import { expectRefusal } from '../../support/faults.js';
import { put, tempDirectory } from '../../support/tempDirectory.js';

vi.mock('../../../src/node/pageFile.js', async (importOriginal) => ({
  ...(await importOriginal<typeof import('../../../src/node/pageFile.js')>()),
  readReport: () =>
    '<title>Report</title>\n<div id="summary"></div>\n<div id="details"></div>\n<script type="application/json" id="report-data">null</script>\n',
}));

function reportIn(cwd: string): ReportData {
  const html = readFileSync(join(cwd, 'run', 'report.html'), 'utf8');
  return readReportData((/id="report-data">(.*?)<\/script>/s.exec(html) as RegExpExecArray)[1]) as ReportData;
}

const OPTIONS = ['train', ...SMALL, '--eval-every', '10', '--out', 'run'];

/** A folder with the names. */
function folder(): string {
  const cwd = tempDirectory();
  writeNames(cwd);
  return cwd;
}

describe('train --open', () => {
  it('opens the report at the start, and leaves the finished one', async () => {
    const cwd = folder();
    const seen: ReportData[] = [];
    const openInBrowser: Surroundings['openInBrowser'] = async () => void seen.push(reportIn(cwd));
    const { exitCode, stderr } = await runCli(cwd, [...OPTIONS, '--open'], { env: { DISPLAY: ':0' }, openInBrowser });
    expect(exitCode).toBe(0);
    expect(stderr).toContain('run/report.html is open in your browser, and follows the training\n');
    expect(seen.map(({ live, runs: [{ step }] }) => ({ live, step }))).toEqual([{ live: true, step: 0 }]);
    const { live, runs } = reportIn(cwd);
    expect(live).toBe(false);
    expect(runs[0]).toMatchObject({
      step: 50,
      gradCheck: { ok: true },
      result: { samples: expect.any(Array), testLoss: expect.any(Number) },
    });
  });

  it('trains the same bytes', async () => {
    const [plain, open] = [folder(), folder()];
    await runCli(plain, OPTIONS);
    await runCli(open, [...OPTIONS, '--open']);
    for (const file of ['checkpoint.safetensors', 'best.safetensors', 'metrics.jsonl']) {
      expect(readFileSync(join(open, 'run', file)), file).toEqual(readFileSync(join(plain, 'run', file)));
    }
    expect(existsSync(join(plain, 'run', 'report.html'))).toBe(false);
  });

  it('where there is no browser says so in a note, and trains', async () => {
    const { exitCode, stderr } = await runCli(folder(), [...OPTIONS, '--open']);
    expect(exitCode).toBe(0);
    expect(stderr).toContain('note: no browser was found: there is no display; open run/report.html in one, it follows the training\n');
  });

  it('has losses, n-grams and marked samples at each evaluation, and no longer reloads itself when the run is stopped', async () => {
    const cwd = folder();
    const argv = [...OPTIONS, '--steps', '1000000', '--open'];
    const { exitCode } = await runCli(cwd, argv, { tick: 10, stop: { signal: 'SIGINT', at: 60_000 } });
    expect(exitCode).toBe(130);
    const {
      live,
      runs: [run],
    } = reportIn(cwd);
    expect(live).toBe(false);
    expect(run.valLosses.length).toBeGreaterThan(0);
    expect(run.result?.samples).toHaveLength(20);
    expect(run.result?.origins).toHaveLength(20);
    expect(run.result?.baselines.fourGram.val).toBeGreaterThan(0);
  });

  it('ends with the report of a run that diverged', async () => {
    const cwd = folder();
    const wild = ['--lr', '1000', '--optimizer', 'adamw', '--weight-decay', '1000', '--schedule', 'constant', '--check-every', '10'];
    const argv = [...OPTIONS, ...wild, '--steps', '3000', '--open'];
    const { exitCode } = await runCli(cwd, argv);
    expect(exitCode).toBe(5);
    const {
      live,
      runs: [{ findings }],
    } = reportIn(cwd);
    expect(live).toBe(false);
    expect(findings.map(({ id }) => id)).toContain('diverged');
  });

  it('replaces no other report.html', async () => {
    const cwd = folder();
    await runCli(cwd, OPTIONS);
    put(cwd, 'run/report.html', 'mine');
    const refused = await runCli(cwd, ['train', '--resume', 'run', '--steps', '60', '--open']);
    expectRefusal(refused, 2, /report\.html exists/);
    expect(readFileSync(join(cwd, 'run/report.html'), 'utf8')).toBe('mine');
  });
});
