// grad-check --watch in a pipe, as an editor's task runner starts it. For a terminal see test/long/watchLayers.test.ts.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Child, startNinja } from '../../support/child.js';
import { runCli } from '../../support/fakeIO.js';
import { DOUBLE, folderOf, IMPORT, RIGHT } from '../../support/layerFiles.js';
import { put, tempDirectory } from '../../support/tempDirectory.js';

const WRONG = DOUBLE.replace('double', 'square');

function watching(files: Record<string, string>, ...argv: string[]): { child: Child; cwd: string } {
  const cwd = folderOf(files);
  const child = startNinja(['grad-check', '--watch', ...argv], { cwd });
  onTestFinished(() => child.kill('SIGKILL'));
  return { child, cwd };
}

describe('grad-check --watch in a pipe', () => {
  it('checks at every save, in plain lines, until a signal', async () => {
    const { child, cwd } = watching({ 'layer.ts': IMPORT + WRONG }, 'layer.ts');
    await child.says(/1 of 1 layer wrong: square/);
    put(cwd, 'other.ts', 'not imported');
    put(cwd, 'layer.ts', IMPORT + RIGHT);
    await child.says(/the layer is right/);
    put(cwd, 'layer.ts', 'export const a = {');
    await child.says(/error: layer\.ts cannot be loaded: ParseError/);
    rmSync(join(cwd, 'layer.ts'));
    await child.says(/error: there is no file layer\.ts/);
    put(cwd, 'layer.ts', IMPORT + RIGHT.replaceAll('square', 'again'));
    await child.says(/✓ again/);
    child.kill('SIGTERM');
    const { exitCode, stdout } = await child.ended;
    expect(exitCode).toBe(143);
    expect(stdout.match(/^layer\.ts, checked at every save$/gm)).toHaveLength(4);
    expect(stdout).not.toMatch(/\p{Cc}(?<!\n)|quit/u);
  });

  it('checks when a file is saved that the layers import', async () => {
    const { child, cwd } = watching({ 'layer.ts': `${IMPORT}export * from './square.js';`, 'square.ts': IMPORT + WRONG }, 'layer.ts');
    await child.says(/1 of 1 layer wrong: square/);
    put(cwd, 'square.ts', IMPORT + RIGHT);
    await child.says(/the layer is right/);
    child.kill('SIGINT');
    expect((await child.ended).exitCode).toBe(130);
  });

  it('restarts a running check at a save', async () => {
    const { child, cwd } = watching({ 'layer.ts': 'console.log("here");\nfor (;;);' }, 'layer.ts');
    await child.says(/layer\.ts: here\n/);
    put(cwd, 'layer.ts', IMPORT + RIGHT);
    await child.says(/the layer is right/);
    child.kill('SIGTERM');
    expect((await child.ended).stdout).not.toContain('cannot be loaded');
  });

  it('prints one JSON document per check with --json', async () => {
    const { child, cwd } = watching({ 'a.ts': IMPORT + WRONG, 'b.ts': IMPORT + RIGHT }, 'a.ts', 'b.ts', '--json');
    await child.says(/\n/);
    put(cwd, 'a.ts', IMPORT + RIGHT);
    await child.says(/\n.*\n/);
    child.kill('SIGTERM');
    const { stdout, stderr } = await child.ended;
    expect(stderr).toBe('');
    expect(
      stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line).ok),
    ).toEqual([false, true]);
  });

  it('refuses to start without a file (4)', async () => {
    const { exitCode, stderr } = await runCli(tempDirectory(), ['grad-check', 'none.ts', '--watch']);
    expect({ exitCode, stderr }).toEqual({ exitCode: 4, stderr: 'error: there is no file none.ts\n' });
  });
});
