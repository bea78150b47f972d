/** `exercise watch` in a real terminal. */
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { EXERCISES } from '../../src/dojo/exercises.js';
import { solutionText, stubText } from '../../src/dojo/stub.js';
import { type Child, MAIN, ninja, start } from '../support/child.js';
import { makeDirectory, removeDirectory } from '../support/tempDirectory.js';
import { exitCodeIn, modesIn, pidIn, startInTerminal, type TerminalOptions } from '../support/terminal.js';

const CTRL_C = '\x03';

let cwd: string;

beforeAll(() => {
  cwd = makeDirectory();
  return () => removeDirectory(cwd);
});

describe('exercise watch in a terminal', () => {
  const text = solutionText(EXERCISES[1]);
  const STUB = stubText(EXERCISES[1]);

  /** The file of Exercise 1 with the solution of these lines and todo() in the others. */
  const solved = (...names: string[]) =>
    names.reduce((file, name) => {
      const [line] = new RegExp(`^  ${name}: .*,$`, 'm').exec(text) ?? [];
      if (!line) throw new Error(`the solution of ${name} is not a single line`);
      return file.replace(new RegExp(`^  ${name}: .*$`, 'm'), line);
    }, STUB);

  const path = (name: string) => join(cwd, 'dojo', name);
  const green = (name: string) => `\x1b[32m✓ ${name} `;

  beforeAll(async () => {
    expect((await ninja(['exercise', 'start'], { cwd })).exitCode).toBe(0);
  });

  beforeEach(() => writeFileSync(path('exercise1.ts'), STUB));

  async function watching(options?: TerminalOptions): Promise<Child> {
    const child = startInTerminal(cwd, ['exercise', 'watch', '1'], options);
    await child.says(/0 of 26 right; next: dlogprobs[\s\S]*q quit/);
    return child;
  }

  async function expectCooked(child: Child, exitCode: number): Promise<void> {
    expect(await exitCodeIn(cwd, child)).toBe(exitCode);
    for (const mode of ['icanon', 'isig', 'echo']) expect(modesIn(cwd)).toContain(mode);
  }

  it('shows the table and turns a row green at each save, whichever way an editor saves', async () => {
    const child = await watching({ rows: 40 });
    expect(child.output()).toContain('\x1b[2J\x1b[H');
    // An editor that overwrites the file.
    writeFileSync(path('exercise1.ts'), solved('dlogprobs'));
    await child.says(/1 of 26 right; next: dprobs/);
    expect(child.output()).toContain(green('dlogprobs'));
    expect(child.output()).not.toContain(green('dprobs'));
    // An editor that writes a temporary file and renames it.
    writeFileSync(path('.exercise1.ts.swp'), solved('dlogprobs', 'dprobs'));
    renameSync(path('.exercise1.ts.swp'), path('exercise1.ts'));
    await child.says(/2 of 26 right; next: dcounts_sum_inv/);
    expect(child.output()).toContain(green('dprobs'));
    // An editor that keeps the old file as a backup and writes a new one.
    renameSync(path('exercise1.ts'), path('exercise1.ts~'));
    writeFileSync(path('exercise1.ts'), solved('dlogprobs', 'dprobs', 'dcounts_sum_inv'));
    await child.says(/3 of 26 right; next: dcounts_sum\b/);
    child.type('q');
    await expectCooked(child, 0);
  });

  it('has the keys h for hints, n for the next exercise, l for the list, r to run again and q to quit', async () => {
    const child = await watching();
    child.type('h');
    await child.says(/A mean of chosen entries/);
    child.type('h');
    await child.says(/The chosen entries are those at the targets Yb/);
    child.type('h');
    await child.says(/ {2}-1\/n at the targets/);
    child.type('xyz\x1b[A');
    child.type('l');
    await child.says(/· Exercise 4: the whole backward pass +0 of 13 right/);
    child.type('n');
    await child.says(/Exercise 2: cross-entropy[\s\S]*0 of 1 right; next: dlogits/);
    for (const [key, next] of [
      ['r', '0 of 1 right; next: dlogits'],
      ['n', '0 of 1 right; next: dhprebn'],
      ['n', '0 of 13 right; next: dlogits'],
      ['n', '0 of 26 right; next: dlogprobs'],
    ]) {
      const times = child.output().split(next).length;
      child.type(key);
      await child.says(new RegExp(`(${next}[^]*){${times}}`));
    }
    child.type('q');
    await expectCooked(child, 0);
  });

  it('fits 80 columns and 24 rows: it shows wrong rows, and folds those that are not written yet', async () => {
    writeFileSync(
      path('exercise1.ts'),
      solved('dlogprobs', 'dprobs', 'dcounts_sum_inv', 'dcounts_sum', 'db2').replace(
        'db2: ({ dlogits }) => dlogits.sum(0)',
        'db2: ({ dlogits }) => dlogits',
      ),
    );
    const child = startInTerminal(cwd, ['exercise', 'watch', '1']);
    await child.says(/4 of 26 right; next: dcounts\b[\s\S]*q quit/);
    child.type('q');
    await expectCooked(child, 0);
    const lines = stripVTControlCharacters(child.output()).split('\r\n');
    const [first] = lines.flatMap((line, i) => (line.includes('dojo/exercise1.ts, checked') ? [i] : []));
    const page = lines.slice(first, lines.findIndex((line) => line.includes('q quit')) + 1);
    expect(page.length).toBeLessThanOrEqual(23);
    expect(page[1]).toMatch(/^checking…\r?Exercise 1/);
    const text = page.join('\n');
    for (const part of [
      /^✓ dcounts_sum /m,
      /^· dcounts \.\.\. dW2: 6 not written yet$/m,
      /^✗ db2 /m,
      /^ {4}the sum over the batch is missing/m,
      /^· dhpreact \.\.\. dC: 15 not written yet$/m,
    ]) {
      expect(text).toMatch(part);
    }
  });

  it('gives hints of the last check without a new check, and each step once', async () => {
    const child = await watching();
    child.type('hh');
    await child.says(/The chosen entries are those at the targets Yb[\s\S]*more: h again/);
    expect(child.output().split('A mean of chosen entries')).toHaveLength(2);
    expect(child.output().split('checking…')).toHaveLength(2);
    child.type('q');
    await expectCooked(child, 0);
  });

  it('quits at Ctrl-C with 0, even while it checks a line that does not end', async () => {
    const child = await watching();
    child.type(CTRL_C);
    await expectCooked(child, 0);
    writeFileSync(path('exercise1.ts'), 'for (;;);');
    const stuck = startInTerminal(cwd, ['exercise', 'watch', '1']);
    await stuck.says(/checked at every save/);
    stuck.type(CTRL_C);
    await expectCooked(stuck, 0);
    expect(stuck.output()).not.toContain('did not finish');
  });

  it('ends at SIGTERM with 143 and restores the terminal', async () => {
    const child = await watching();
    process.kill(pidIn(cwd), 'SIGTERM');
    await expectCooked(child, 143);
  });

  it('prints no escapes if TERM is dumb', async () => {
    const child = await watching({ env: { TERM: 'dumb' } });
    expect(child.output()).not.toContain('\x1b');
    child.type('q');
    await expectCooked(child, 0);
  });

  it('is no wider than a terminal of 60 columns', async () => {
    writeFileSync(
      path('exercise1.ts'),
      solved('dlogprobs').replace('.div(-n)', '.div(n)').replace('dprobs: ({', 'dprobs: () => 3, was: ({'),
    );
    const child = startInTerminal(cwd, ['exercise', 'watch', '1'], { columns: 60 });
    await child.says(/0 of 26 right[\s\S]*q quit/);
    child.type('h');
    await child.says(/more: h again/);
    child.type('q');
    await expectCooked(child, 0);
    const lines = stripVTControlCharacters(child.output()).split('\r\n');
    for (const line of lines) expect([...line].length, line).toBeLessThanOrEqual(60);
  });

  it('draws the screen again when the terminal changes its size', async () => {
    const child = await watching({
      columns: 100,
      parallel: 'until [ -e narrow ]; do sleep 0.05; done; echo resized > /dev/tty; stty -F /dev/tty cols 60',
    });
    child.type('h');
    await child.says(/more: h again/);
    writeFileSync(join(cwd, 'narrow'), '');
    await child.says(/resized[\s\S]*0 of 26 right[\s\S]*more: h again/);
    child.type('q');
    await expectCooked(child, 0);
    const [, after] = child.output().split('resized\r\n');
    for (const line of stripVTControlCharacters(after).split('\r\n')) expect([...line].length, line).toBeLessThanOrEqual(60);
  });

  it('stops at Ctrl-Z, gives the terminal back, and continues with fg', async () => {
    const shell = start('script', ['-qfec', 'bash --norc --noprofile -i', '/dev/null'], {
      cwd,
      env: { ...process.env, TERM: 'xterm', LC_ALL: 'C' },
    });
    shell.type(`${process.execPath} ${MAIN} exercise watch 1\n`);
    await shell.says(/0 of 26 right[\s\S]*q quit/);
    shell.type('\x1a');
    await shell.says(/Stopped/);
    shell.type('stty -a | grep -o ".icanon"; echo again\n');
    await shell.says(/ icanon[\s\S]*again/);
    shell.type('fg; echo code $?\n');
    await shell.says(/again[\s\S]*0 of 26 right[\s\S]*q quit/);
    // A single key acts at once.
    shell.type('h');
    await shell.says(/more: h again/);
    writeFileSync(path('exercise1.ts'), solved('dlogprobs'));
    await shell.says(/1 of 26 right/);
    shell.type('q');
    await shell.says(/code 0/);
    shell.type('exit\n');
    await shell.ended;
  });

  it('reacts to l at once, while checks run', async () => {
    writeFileSync(path('exercise1.ts'), 'for (;;);');
    const child = startInTerminal(cwd, ['exercise', 'watch', '2']);
    await child.says(/0 of 1 right[\s\S]*q quit/);
    child.type('l');
    await child.says(/checking Exercise 1…/);
    child.type('r');
    await child.says(/checking Exercise 1…[\s\S]*0 of 1 right/);
    child.type('q');
    await expectCooked(child, 0);
  });
});
