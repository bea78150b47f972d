/** `grad-check --watch` in a real terminal. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ERASE } from '../../src/cli/terminal/whileShowing.js';
import { DOUBLE, folderOf, IMPORT, RIGHT } from '../support/layerFiles.js';
import { exitCodeIn, modesIn, startInTerminal } from '../support/terminal.js';

const CTRL_C = '\x03';

describe('grad-check --watch in a terminal', () => {
  it.each([
    ['q', 'q'],
    ['Ctrl-C', CTRL_C],
  ])('checks at every save and at r, ends with %s, and restores the terminal', async (_, key) => {
    const cwd = folderOf({ 'layer.ts': IMPORT + DOUBLE });
    const child = startInTerminal(cwd, ['grad-check', 'layer.ts', '--watch']);
    await child.says(/✗ double: dx is wrong[\s\S]*1 of 1 layer wrong: double[\s\S]*r run again {3}q quit/);
    writeFileSync(join(cwd, 'layer.ts'), IMPORT + RIGHT);
    await child.says(/✓ square: right[\s\S]*the layer is right[\s\S]*q quit/);
    const before = child.output().length;
    child.type('r');
    await child.says(new RegExp(`^[\\s\\S]{${before}}[\\s\\S]*✓ square: right[\\s\\S]*q quit`));
    child.type(key);
    expect(await exitCodeIn(cwd, child)).toBe(0);
    for (const mode of ['icanon', 'isig', 'echo']) expect(modesIn(cwd)).toContain(mode);
    const screens = child.output().split('\x1b[2J\x1b[H');
    expect(screens).toHaveLength(4);
    expect(screens[1].startsWith(`layer.ts, checked at every save\r\nchecking…${ERASE}`)).toBe(true);
  });
});
