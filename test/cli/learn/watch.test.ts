// exercise watch in a pipe, as an editor's task runner starts it. For a terminal see test/long/terminal.test.ts.
import { mkdirSync, renameSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, type TestContext, vi } from 'vitest';
import { run } from '../../../src/cli/run.js';
import { EXERCISES } from '../../../src/dojo/exercises.js';
import { solutionText, stubText } from '../../../src/dojo/stub.js';
import { type Child, HANGS, startNinja } from '../../support/child.js';
import { fakeIO, runCli } from '../../support/fakeIO.js';
import { expectRefusal } from '../../support/faults.js';
import { makeDirectory, put, removeDirectory } from '../../support/tempDirectory.js';

const STUB = stubText(EXERCISES[2]);
const SOLUTION = solutionText(EXERCISES[2]);
const WRONG = SOLUTION.replace('.div(n)', '');

/** The tests wait most of the time, so they run side by side. Then each has its own hook. */
type Context = Pick<TestContext, 'onTestFinished'>;

function directoryOf({ onTestFinished }: Context): string {
  const cwd = makeDirectory();
  onTestFinished(() => removeDirectory(cwd));
  return cwd;
}

function startWatch(cwd: string, argv: readonly string[], { onTestFinished }: Context): Child {
  const child = startNinja(['exercise', 'watch', ...argv], { cwd });
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await child.ended;
  });
  return child;
}

function watching(context: Context, files: Record<string, string>, ...argv: string[]): { child: Child; cwd: string } {
  const cwd = directoryOf(context);
  for (const [name, text] of Object.entries(files)) put(cwd, `dojo/${name}`, text);
  return { child: startWatch(cwd, argv, context), cwd };
}

/** Saves in one step, so that each save is one change, however slow the machine is. */
function save(cwd: string, text: string): void {
  renameSync(put(cwd, 'dojo/new', text), join(cwd, 'dojo/exercise2.ts'));
}

describe.concurrent('exercise watch in a pipe', () => {
  it('checks at every save, in plain lines, and ends at SIGTERM with 143', async (context) => {
    const { child, cwd } = watching(context, { 'exercise2.ts': STUB }, '2');
    await child.says(/0 of 1 right; next: dlogits\n/);
    put(cwd, 'dojo/notes.txt', 'not an exercise');
    save(cwd, WRONG);
    await child.says(/✗ dlogits .* the division by n is missing\n0 of 1 right; next: dlogits\n/);
    save(cwd, SOLUTION);
    await child.says(/^right; next: \S*.*exercise watch 3\n/m);
    child.kill('SIGTERM');
    const { exitCode, stdout, stderr } = await child.ended;
    expect({ exitCode, stderr }).toEqual({ exitCode: 143, stderr: '' });
    expect(stdout.match(/^dojo\/exercise2\.ts, checked at every save$/gm)).toHaveLength(3);
    expect(stdout).not.toMatch(/\p{Cc}(?<!\n)|quit/u);
  });

  it.for([
    ['SIGINT', 130],
    ['SIGHUP', 129],
  ] as const)('ends at %s with %d, too', async ([signal, code], context) => {
    const { child } = watching(context, { 'exercise2.ts': STUB }, '2');
    await child.says(/0 of 1 right; next: dlogits\n/);
    child.kill(signal);
    const { exitCode, stderr } = await child.ended;
    expect({ exitCode, stderr }).toEqual({ exitCode: code, stderr: '' });
  });

  it('ends in the middle of a line that never ends', async (context) => {
    const { child } = watching(context, { 'exercise2.ts': 'console.log("here");\nfor (;;);' }, '2');
    await child.says(/exercise2\.ts: here\n/);
    child.kill('SIGTERM');
    const { exitCode, stdout } = await child.ended;
    expect(exitCode).toBe(143);
    expect(stdout).not.toContain('cannot run');
  });

  it('restarts a running check at a save', async (context) => {
    const { child, cwd } = watching(context, { 'exercise2.ts': 'console.log("here");\nfor (;;);' }, '2');
    await child.says(/exercise2\.ts: here\n/);
    put(cwd, 'dojo/exercise2.ts', SOLUTION);
    await child.says(/^right; next: .*exercise watch 3$/m);
    child.kill('SIGTERM');
    const { exitCode, stdout } = await child.ended;
    expect(exitCode).toBe(143);
    expect(stdout).not.toContain('cannot run');
    expect(stdout).not.toContain('checking');
  });

  it('keeps watching while the file is missing or is not a file, and says so', async (context) => {
    const { child, cwd } = watching(context, { 'exercise2.ts': STUB }, '2');
    await child.says(/0 of 1 right/);
    rmSync(join(cwd, 'dojo/exercise2.ts'));
    await child.says(/error: there is no dojo\/exercise2\.ts; /);
    mkdirSync(join(cwd, 'dojo/exercise2.ts'));
    await child.says(/error: dojo\/exercise2\.ts is not a file/);
    rmSync(join(cwd, 'dojo/exercise2.ts'), { recursive: true });
    await sleep(50);
    put(cwd, 'dojo/exercise2.ts', SOLUTION);
    await child.says(/^right; next: .*exercise watch 3$/m);
    child.kill('SIGTERM');
    expect((await child.ended).exitCode).toBe(143);
  });

  it('keeps watching while the file is of another kind or cannot be read, and says so', async (context) => {
    const { child, cwd } = watching(context, { 'exercise2.ts': STUB }, '2');
    const file = join(cwd, 'dojo/exercise2.ts');
    await child.says(/0 of 1 right/);
    writeFileSync(file, Buffer.from('89504e470d0a1a0a', 'hex'));
    await child.says(/error: dojo\/exercise2\.ts: this is a PNG image; expected TypeScript/);
    writeFileSync(file, Buffer.from(`\ufeff${SOLUTION}`, 'utf16le'));
    await child.says(/error: dojo\/exercise2\.ts: this is text in UTF-16/);
    rmSync(file);
    symlinkSync('exercise2.ts', file);
    await child.says(/error: cannot read dojo\/exercise2\.ts: too many symbolic links/);
    rmSync(file);
    symlinkSync('/dev/zero', file);
    await child.says(/error: dojo\/exercise2\.ts is not a file/);
    rmSync(file);
    writeFileSync(file, '');
    truncateSync(file, 3e9);
    await child.says(/error: .*exercise2\.ts is larger than the limit of 1 MiB/);
    put(cwd, 'dojo/exercise2.ts', SOLUTION);
    await child.says(/^right; next: .*exercise watch 3$/m);
    child.kill('SIGTERM');
    expect((await child.ended).exitCode).toBe(143);
  });

  it('follows a folder that is moved away and back, as git stash and a branch switch do, and a link', async (context) => {
    const { child, cwd } = watching(context, { 'exercise2.ts': STUB }, '2');
    await child.says(/0 of 1 right/);
    renameSync(join(cwd, 'dojo'), join(cwd, 'away'));
    await child.says(/error: there is no dojo\/exercise2\.ts; /);
    put(cwd, 'dojo/exercise2.ts', WRONG);
    await child.says(/✗ dlogits/);
    put(cwd, 'elsewhere.ts', SOLUTION);
    rmSync(join(cwd, 'dojo/exercise2.ts'));
    symlinkSync(join(cwd, 'elsewhere.ts'), join(cwd, 'dojo/exercise2.ts'));
    await child.says(/^right\b/m);
    put(cwd, 'elsewhere.ts', 'export default 3');
    await child.says(/cannot run: its default export is a number/);
    child.kill('SIGTERM');
    expect((await child.ended).exitCode).toBe(143);
  });

  it('works on in a folder that was deleted and made anew, also if it runs in that folder', async (context) => {
    const cwd = join(directoryOf(context), 'dojo');
    put(cwd, 'exercise2.ts', STUB);
    const child = startWatch(cwd, ['2'], context);
    await child.says(/0 of 1 right/);
    rmSync(cwd, { recursive: true });
    await child.says(/error: there is no exercise2\.ts; /);
    put(cwd, 'exercise2.ts', SOLUTION);
    await child.says(/^right; next: /m);
    child.kill('SIGTERM');
    expect((await child.ended).exitCode).toBe(143);
  });

  it('prints one JSON document per check with --json, and nothing else', async (context) => {
    const { child, cwd } = watching(context, { 'exercise2.ts': STUB }, '2', '--json');
    await child.says(/"ok":false.*\n/);
    save(cwd, SOLUTION);
    await child.says(/"ok":true.*\n/);
    child.kill('SIGTERM');
    const { stdout } = await child.ended;
    expect(
      stdout
        .trimEnd()
        .split('\n')
        .map((line) => (JSON.parse(line) as { ok: boolean }).ok),
    ).toEqual([false, true]);
  });

  it('starts with the first exercise that is not done, if none is named', async (context) => {
    const files = { 'exercise1.ts': solutionText(EXERCISES[1]), 'exercise2.ts': SOLUTION, 'exercise3.ts': stubText(EXERCISES[3]) };
    const { child } = watching(context, files);
    await child.says(/^dojo\/exercise3\.ts, checked at every save$/m);
    child.kill('SIGTERM');
    expect((await child.ended).stdout).not.toContain('exercise1.ts');
  });

  it('draws a whole screen each time, even if its size changes twice at once', async (context) => {
    const cwd = directoryOf(context);
    put(cwd, 'dojo/exercise2.ts', STUB);
    const io = fakeIO(cwd, { tty: true });
    let redraw = () => {};
    io.onRedraw = (handler) => {
      redraw = handler;
      return () => {};
    };
    let stop = (_signal: 'SIGTERM') => {};
    io.onStop = (handler) => {
      stop = handler;
      return () => {};
    };
    const ended = run(['exercise', 'watch', '2'], io);
    const screens = () => io.stdout.text.split('\x1b[2J\x1b[H').slice(1);
    await vi.waitFor(() => expect(screens().at(-1)).toContain('0 of 1 right'), { timeout: HANGS });
    const [first] = screens();
    redraw();
    redraw();
    await vi.waitFor(() => expect(screens()).toHaveLength(3), { timeout: HANGS });
    expect(screens().slice(1)).toEqual(Array(2).fill(first.replace('checking…\r\x1b[K', '')));
    stop('SIGTERM');
    expect(await ended).toBe(143);
  });

  it('refuses to start without a file (4)', async (context) => {
    expectRefusal(
      await runCli(directoryOf(context), ['exercise', 'watch', '1']),
      4,
      'there is no dojo/exercise1.ts; name the folder with --dir, or create it: backprop-ninja exercise start',
    );
  });
});
