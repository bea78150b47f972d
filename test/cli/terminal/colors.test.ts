import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { NAMES, runCli, SMALL, type Surroundings, writeNames } from '../../support/fakeIO.js';
import { tempDirectory } from '../../support/tempDirectory.js';

const FIXTURE = fileURLToPath(new URL('../../fixtures/gradients-n3-t4-e5-h9-v6-f64.safetensors', import.meta.url));
const ESCAPE = '\x1b';

/** Which of the two streams get colours: stdout from a table, stderr from an error of a command and from one of the options. */
async function coloured(surroundings: Surroundings, ...flags: string[]) {
  const cwd = tempDirectory();
  const table = await runCli(cwd, ['grad-check', '--against', FIXTURE, ...flags], surroundings);
  const failure = await runCli(cwd, ['sample', 'none', ...flags], surroundings);
  const misuse = await runCli(cwd, ['train', '--steps', 'x', ...flags], surroundings);
  expect([table.exitCode, failure.exitCode, misuse.exitCode]).toEqual([0, 4, 2]);
  return {
    stdout: table.stdout.includes(`${ESCAPE}[`),
    stderr: failure.stderr.includes(`${ESCAPE}[`),
    misuse: misuse.stderr.includes(`${ESCAPE}[`),
  };
}

const ALL = { stdout: true, stderr: true, misuse: true };
const NONE = { stdout: false, stderr: false, misuse: false };

describe('colours', () => {
  it.each([
    ['on terminals', { tty: true }, [], ALL],
    ['not on files and pipes', { tty: false }, [], NONE],
    ['on stdout only, if only it is a terminal', { tty: 'stdout' }, [], { stdout: true, stderr: false, misuse: false }],
    ['on stderr only, if only it is a terminal', { tty: 'stderr' }, [], { stdout: false, stderr: true, misuse: true }],
    ['not with NO_COLOR', { tty: true, env: { NO_COLOR: '1' } }, [], NONE],
    ['not with NO_COLOR of any value', { tty: true, env: { NO_COLOR: '0' } }, [], NONE],
    ['with an empty NO_COLOR, which has no effect', { tty: true, env: { NO_COLOR: '' } }, [], ALL],
    ['not with TERM=dumb', { tty: true, env: { TERM: 'dumb' } }, [], NONE],
    ['with another TERM', { tty: true, env: { TERM: 'xterm' } }, [], ALL],
    ['everywhere with FORCE_COLOR', { tty: false, env: { FORCE_COLOR: '1' } }, [], ALL],
    ['nowhere with FORCE_COLOR=0', { tty: true, env: { FORCE_COLOR: '0' } }, [], NONE],
    ['with FORCE_COLOR despite NO_COLOR', { tty: false, env: { FORCE_COLOR: '1', NO_COLOR: '1' } }, [], ALL],
    ['not with --no-color', { tty: true }, ['--no-color'], NONE],
    ['not with --no-color despite FORCE_COLOR', { tty: true, env: { FORCE_COLOR: '1' } }, ['--no-color'], NONE],
  ] as [string, Surroundings, string[], typeof ALL][])('%s', async (_, surroundings, flags, expected) => {
    expect(await coloured(surroundings, ...flags)).toEqual(expected);
  });

  it.each([
    ['grad-check', ['grad-check', '--against', FIXTURE]],
    ['doctor', ['doctor', '--init', '--norm', 'none', '--init-gain', '20']],
  ])('only add escapes to the text: %s', async (_, argv) => {
    const plain = await runCli(tempDirectory(), argv, { tty: true, env: { NO_COLOR: '1' } });
    const painted = await runCli(tempDirectory(), argv, { tty: true });
    expect(painted.stdout).not.toBe(plain.stdout);
    expect(stripVTControlCharacters(painted.stdout)).toBe(plain.stdout);
  });

  it('mark the head of the report and the names that are not new', async () => {
    const cwd = tempDirectory();
    writeNames(cwd);
    const { stdout } = await runCli(cwd, ['train', ...SMALL], { tty: 'stdout' });
    expect(stdout).toContain(`${ESCAPE}[2mloss in nats per character`);
    expect(stdout).toContain(`${ESCAPE}[1mthis network`);
  });

  it.each([
    ['train', (names: string) => ['train', ...SMALL, '--data', names]],
    ['grad-check', () => ['grad-check', '--part', 'closed-forms', '--entries', '3']],
  ])('never reach a file or pipe: %s', async (_, argv) => {
    const cwd = tempDirectory();
    const { exitCode, stdout, stderr } = await runCli(cwd, argv(writeNames(cwd, NAMES)));
    expect(exitCode).toBe(0);
    expect(stdout + stderr).not.toContain(ESCAPE);
  });

  it.each([[['--json']], [['--json', '--no-color']]])('never appear in JSON: %j', async (flags) => {
    const { stdout } = await runCli(tempDirectory(), ['grad-check', '--against', FIXTURE, ...flags], {
      tty: true,
      env: { FORCE_COLOR: '1' },
    });
    expect(stdout).not.toContain(ESCAPE);
    expect(JSON.parse(stdout).ok).toBe(true);
  });
});
