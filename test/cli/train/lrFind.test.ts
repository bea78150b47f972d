import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ONE_ERROR_LINE, runCli, type Surroundings, writeNames } from '../../support/fakeIO.js';
import { tempDirectory } from '../../support/tempDirectory.js';

const SMALL = ['--data', 'names.txt', '--hidden', '8', '--embedding', '4', '--steps', '300'];

async function lrFind(argv: readonly string[] = [], surroundings?: Surroundings) {
  const directory = tempDirectory();
  writeNames(directory);
  return { directory, ...(await runCli(directory, ['lr-find', ...SMALL, ...argv], surroundings)) };
}

describe('lr-find', () => {
  it('draws the loss against the rate, suggests half the rate with the lowest loss, and writes nothing', async () => {
    const { directory, exitCode, stdout, stderr } = await lrFind();
    expect(exitCode).toBe(0);
    expect(stderr).toMatch(/^T 3, E 4, H 8: [\d,]+ parameters; sgd, rates from 0\.001 to 10 in 300 steps\n$/);
    expect(stdout).toMatch(/^ +└─+\n +rate 0\.001 +rate \d/m);
    const [, at, suggestion] =
      /lowest, \d\.\d{4}, at a rate of (\S+)\nhalf of that is a rate to begin with: --lr (\S+)\n$/.exec(stdout) ?? [];
    expect(Number(suggestion) / Number(at)).toBeGreaterThan(0.45);
    expect(Number(suggestion) / Number(at)).toBeLessThan(0.55);
    expect(readdirSync(directory)).toEqual(['names.txt']);
  });

  it('prints every point, the lowest one and the suggestion with --json', async () => {
    const { stdout } = await lrFind(['--json', '--optimizer', 'adam']);
    const { suggestion, least, points } = JSON.parse(stdout);
    expect(points.length).toBeGreaterThan(200);
    expect(points[0].rate).toBe(0.00001);
    expect(least.smoothed).toBe(Math.min(...points.map(({ smoothed }: { smoothed: number }) => smoothed)));
    expect(suggestion / least.rate).toBeCloseTo(0.5, 1);
  });

  it.each([
    ['start', ['--from', '100', '--to', '1000']],
    ['end', ['--from', '0.001', '--to', '0.1']],
    ['flat', ['--from', '1e-9', '--to', '1e-8']],
  ])('suggests nothing where the lowest loss says nothing: %s', async (edge, range) => {
    const { exitCode, stdout } = await lrFind([...range, '--json']);
    expect([exitCode, JSON.parse(stdout)]).toMatchObject([0, { suggestion: null, edge }]);
  });

  it('takes network and optimizer from a preset; explicit options win', async () => {
    expect((await lrFind(['--preset', 'fast'])).stderr).toMatch(/^T 6, E 4, H 8: .* adamw, rates from 0\.00001 to 1 in 300 steps\n$/);
  });

  it.each([
    [['--from', '1', '--to', '0.1'], '--from is 1 and --to is 0.1, but the rate must rise at least 10 times'],
    [['--from', '0.1', '--to', '0.5'], '--from is 0.1 and --to is 0.5, but the rate must rise at least 10 times'],
    [['--weight-decay', '0.1'], '--weight-decay goes with --optimizer adamw, not with sgd'],
  ])('refuses %j', async (argv, message) => {
    const { exitCode, stdout, stderr } = await lrFind(argv);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(stderr).toMatch(ONE_ERROR_LINE);
    expect(stderr).toContain(message);
  });

  it('ends at a signal with its exit code', async () => {
    const { exitCode, stdout } = await lrFind(['--steps', '1000000'], { stop: { signal: 'SIGINT', at: 200 }, tick: 10 });
    expect({ exitCode, stdout }).toEqual({ exitCode: 130, stdout: '' });
  });
});
