import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { Hunt } from '../../../src/dojo/hunt.js';
import { GRADIENT_NAMES } from '../../../src/lesson/exercise1.js';
import { HANGS } from '../../support/child.js';
import { runCli, type Surroundings } from '../../support/fakeIO.js';
import { tempDirectory } from '../../support/tempDirectory.js';

const SEED = 11;
const secret = new Hunt(SEED);
const { line, mistake, name } = secret.reveal();
const answer = String(secret.choices.indexOf(mistake) + 1);
const other = line === 'dh' ? 'dprobs' : 'dh';

const hunt = (input: readonly string[], argv: readonly string[] = ['--seed', `${SEED}`], surroundings: Surroundings = {}) =>
  runCli(tempDirectory(), ['hunt', ...argv], { ...surroundings, input });

describe('hunt', () => {
  it('is won with the line and its mistake, and exits with 0', async () => {
    const { exitCode, stdout, stderr } = await hunt([`probe ${line}`, `guess ${line}`, answer]);
    expect(stdout).toContain(`✗  ${line} [`);
    expect(stdout).toContain(`Yes, it is ${line}. What is wrong with it?`);
    expect(stdout).toMatch(/\nRight\.\nScore: 95 of 100, with 1 probe\.\n/);
    expect([exitCode, stderr]).toEqual([0, '']);
  });

  it('shows the mistake after quit, and exits with 1', async () => {
    const { exitCode, stdout } = await hunt(['quit', `guess ${line}`]);
    expect(stdout).toContain(`It was ${line}: ${mistake}.\nGive a friend the same hunt: backprop-ninja hunt --seed ${SEED}\n`);
    expect(exitCode).toBe(1);
  });

  it('shows the mistake after quit also when only the line was found', async () => {
    const { exitCode, stdout } = await hunt([`guess ${line}`, 'quit']);
    expect(stdout).toContain(`It was ${line}: ${mistake}.\nScore: 100 of 100, with 0 probes.\n`);
    expect(exitCode).toBe(0);
  });

  it('ends when its input ends', async () => {
    expect((await hunt([`probe ${line}`])).exitCode).toBe(1);
    expect((await hunt([`guess ${line}`])).exitCode).toBe(0);
  });

  it.each([
    ['quit', 'quit\n', 1],
    ['won', `guess ${line}\n${answer}\n`, 0],
  ])('ends when it is %s, even if its input stays open', async (_, input, exitCode) => {
    const main = fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url));
    const child = spawn(process.execPath, [main, 'hunt', '--seed', `${SEED}`], { stdio: ['pipe', 'ignore', 'inherit'], timeout: HANGS });
    child.stdin.write(input);
    expect(await once(child, 'exit')).toEqual([exitCode, null]);
  });

  it('shows the points that are left after a probe', async () => {
    expect((await hunt([`probe ${line}`])).stdout).toMatch(/^✗ {2}.*; 95 points$/m);
  });

  it('suggests npx commands if npx runs the program', async () => {
    expect((await hunt(['quit'], undefined, { env: { npm_command: 'exec' } })).stdout).toContain(': npx backprop-ninja hunt --seed');
  });

  it('explains input that it does not understand, and continues', async () => {
    const { stdout, exitCode } = await hunt([
      '',
      'porbe dh',
      'dance',
      'probe',
      'probe dhh\x1b[2J',
      'probe probs',
      'list',
      `guess ${line}`,
      'maybe',
      '99',
      answer,
    ]);
    expect(stdout).toContain("unknown command 'porbe'; did you mean probe\n");
    expect(stdout).toMatch(/unknown command 'dance'\n {2}probe dh +compare/);
    expect(stdout).toContain("which gradient? 'list' shows all\n");
    expect(stdout).toContain("unknown gradient 'dhh\\x1b[2J'; 'list' shows all\n");
    expect(stdout).toContain("unknown gradient 'probs'; did you mean dprobs\n");
    expect(stdout).toContain('  dlogprobs  dprobs');
    expect(stdout.match(/Type a number from 1 to/g)).toHaveLength(2);
    expect(stdout).not.toContain('\x1b');
    expect(exitCode).toBe(0);
  });

  it.each([80, 40])('has no line that is longer than a terminal of %d columns', async (columns) => {
    const probes = GRADIENT_NAMES.map((gradient) => `probe ${gradient}`);
    const input = [...probes, 'list', 'help', 'dance', `guess ${other}`, `guess ${line}`, '99', 'quit'];
    const { stdout } = await hunt(input, ['--seed', `${SEED}`], { tty: true, columns, env: { NO_COLOR: '1' } });
    for (const one of stdout.split('\n')) expect([...one].length, one).toBeLessThanOrEqual(columns);
  });

  it('takes points for wrong answers', async () => {
    const { stdout } = await hunt([`guess ${other}`, `guess ${line}`, answer]);
    expect(stdout).toContain(`No, the line of ${other} is right. You have 80 points left.\n`);
    expect(stdout).toContain('Score: 80 of 100, with 0 probes.\n');
  });

  it('prints one document with --json, and the dialogue on stderr', async () => {
    const { stdout, stderr } = await hunt([`probe ${other}`, `guess ${other}`, `guess ${line}`, answer], ['--seed', `${SEED}`, '--json']);
    expect(JSON.parse(stdout)).toEqual({
      seed: SEED,
      found: true,
      named: true,
      line,
      mutant: name,
      mistake,
      probes: [other],
      guesses: [other, line],
      score: 75,
    });
    expect(stderr).toContain(`Yes, it is ${line}.`);
  });

  it('has a new seed each time without --seed, and shows it', async () => {
    const [first, second] = [
      await hunt([], [], { date: '2020-01-01T00:00:00.001Z' }),
      await hunt([], [], { date: '2020-01-01T00:00:00.002Z' }),
    ];
    expect(first.stdout).toContain('Hunt 1: ');
    expect(second.stdout).toContain('Hunt 2: ');
  });
});
