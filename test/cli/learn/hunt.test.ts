import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { Hunt } from '../../../src/dojo/hunt.js';
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
  it('is won by the line and its mistake, exit 0', async () => {
    const { exitCode, stdout, stderr } = await hunt([`probe ${line}`, `guess ${line}`, answer]);
    expect(stdout).toContain(`✗  ${line} [`);
    expect(stdout).toContain(`Yes, it is ${line}. What is wrong with it?`);
    expect(stdout).toMatch(/\nRight\.\nScore: 95 of 100, with 1 probe\.\n/);
    expect([exitCode, stderr]).toEqual([0, '']);
  });

  it('tells what it was to who gives up, exit 1', async () => {
    const { exitCode, stdout } = await hunt(['quit', `guess ${line}`]);
    expect(stdout).toContain(`It was ${line}: ${mistake}.\nThe same for a friend: backprop-ninja hunt --seed ${SEED}\n`);
    expect(exitCode).toBe(1);
  });

  it('ends with its input', async () => {
    expect((await hunt([`probe ${line}`])).exitCode).toBe(1);
    expect((await hunt([`guess ${line}`])).exitCode).toBe(0);
  });

  it.each([
    ['quit', 'quit\n', 1],
    ['won', `guess ${line}\n${answer}\n`, 0],
  ])('is over when it is %s, also if its input stays open', async (_, input, exitCode) => {
    const main = fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url));
    const child = spawn(process.execPath, [main, 'hunt', '--seed', `${SEED}`], { stdio: ['pipe', 'ignore', 'inherit'], timeout: HANGS });
    child.stdin.write(input);
    expect(await once(child, 'exit')).toEqual([exitCode, null]);
  });

  it('tells how many points are left after a probe', async () => {
    expect((await hunt([`probe ${line}`])).stdout).toMatch(/^✗ {2}.*; 95 points$/m);
  });

  it('proposes commands that can be typed where npm runs the program', async () => {
    expect((await hunt(['quit'], undefined, { env: { npm_command: 'exec' } })).stdout).toContain(': npx backprop-ninja hunt --seed');
  });

  it('says what it does not understand, and goes on', async () => {
    const { stdout, exitCode } = await hunt(['', 'porbe dh', 'probe', 'probe dhh\x1b[2J', 'list', `guess ${line}`, 'maybe', '99', answer]);
    expect(stdout).toContain("no 'porbe' here:\n");
    expect(stdout).toContain("which gradient? 'list' shows all\n");
    expect(stdout).toContain("no gradient 'dhh\\x1b[2J': 'list' shows all\n");
    expect(stdout).toContain('  dlogprobs  dprobs');
    expect(stdout.match(/Answer with a number from 1 to/g)).toHaveLength(2);
    expect(stdout).not.toContain('\x1b');
    expect(exitCode).toBe(0);
  });

  it('takes points for wrong answers, and names no more than they allow', async () => {
    const { stdout } = await hunt([`guess ${other}`, `guess ${line}`, answer]);
    expect(stdout).toContain(`No, the line of ${other} is right by itself. 80 points are left.\n`);
    expect(stdout).toContain('Score: 80 of 100, with 0 probes.\n');
  });

  it('--json: the course of it as one document, the dialogue on stderr', async () => {
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

  it('without --seed is another one each time, and says which', async () => {
    const [first, second] = [
      await hunt([], [], { date: '2020-01-01T00:00:00.001Z' }),
      await hunt([], [], { date: '2020-01-01T00:00:00.002Z' }),
    ];
    expect(first.stdout).toContain('Hunt 1: ');
    expect(second.stdout).toContain('Hunt 2: ');
  });
});
