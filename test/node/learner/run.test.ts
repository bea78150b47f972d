// Learners' files in the built program: it must survive anything they do. More of them are in test/long/learner*.test.ts.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { EXERCISES, type ExerciseNumber, exerciseFile } from '../../../src/dojo/exercises.js';
import { solutionText } from '../../../src/dojo/stub.js';
import { checkFile } from '../../../src/node/learner/run.js';
import { HANGS, startNinja } from '../../support/child.js';
import { runCli } from '../../support/fakeIO.js';
import { check, exercise1With, folder, problems } from '../../support/learnerFiles.js';
import { tempDirectory } from '../../support/tempDirectory.js';

describe('the output of a file', () => {
  it('goes to stderr once, line by line, after the name of the line that printed it', async () => {
    const { report, stderr } = await check(
      1,
      exercise1With(
        {
          dh: '(at) => { console.log("h", at.h.shape); console.error("to the side"); process.stdout.write("no end"); return was.dh(at); }',
          db2: '(at) => { console.log("two\\nlines"); return was.db2(at); }',
        },
        'console.log("loading");',
      ),
    );
    expect(report.ok).toBe(true);
    expect(stderr).toBe('exercise1.ts: loading\ndh: h [ 32, 64 ]\ndh: to the side\ndh: no end\ndb2: two\ndb2: lines\n');
  });

  it('stops after 1,000 lines', async () => {
    const { report, stderr } = await check(
      1,
      exercise1With({ dh: '(at) => { for (let i = 0; i < 2000; i++) console.log(i); return was.dh(at); }' }),
    );
    expect(report.ok).toBe(true);
    const lines = stderr.trimEnd().split('\n');
    expect(lines).toHaveLength(1001);
    expect([lines[0], ...lines.slice(-2)]).toEqual(['dh: 0', 'dh: 999', 'dh: …']);
  });
});

describe('a key that is no line', () => {
  const withKeys = (number: ExerciseNumber, keys: string) => {
    const text = solutionText(EXERCISES[number]).replace('\n};\n', () => `\n  ${keys},\n};\n`);
    return { [exerciseFile(number)]: `// @ts-nocheck\n${text}` };
  };

  it.each<[string, ExerciseNumber, string, object]>([
    ['misspelt', 1, 'dprbs: () => 0', { key: 'dprbs', suggestion: 'dprobs' }],
    ['of a name from PyTorch', 2, 'logits_grad: () => 0', { key: 'logits_grad', suggestion: 'dlogits' }],
    ['of another exercise', 3, 'dprobs: () => 0', { key: 'dprobs', exercise: 1 }],
    ['of no kind', 4, 'helper: 1', { key: 'helper' }],
    ['that looks like a name', 1, "'d\u0421': () => 0", { key: 'd\u0421' }],
    ['that is empty', 2, "'': () => 0", { key: '' }],
  ])('fails a file whose lines are all right: %s', async (_, number, keys, stray) => {
    const { exitCode, report } = await check(number, withKeys(number, keys));
    expect({ exitCode, report }).toMatchObject({ exitCode: 1, report: { ok: false, strays: [stray] } });
    expect(report.lines.every(({ verdict }) => verdict === 'right')).toBe(true);
    expect(report).not.toHaveProperty('training');
  });

  it('is said beside a check of one line only if that line may be meant', async () => {
    const cwd = folder(withKeys(1, 'dprbs: 0, helper: 1'));
    const one = await runCli(cwd, ['exercise', 'check', '1', 'dprobs']);
    expect(one).toMatchObject({ exitCode: 1, stdout: expect.stringContaining('✗ not in Exercise 1: dprbs (did you mean dprobs?)\n') });
    expect(await runCli(cwd, ['exercise', 'check', '1', 'dh'])).toMatchObject({ exitCode: 0 });
  });
});

describe('a file that is no plain text file', () => {
  const path = () => join(tempDirectory(), 'exercise2.ts');
  it.each<[kind: string, make: (path: string) => void, says: RegExp]>([
    ['a pipe', (file) => void spawnSync('mkfifo', [file]), /: it is a pipe$/],
    ['a device', (file) => symlinkSync('/dev/zero', file), /: it is a device$/],
    ['a directory', (file) => mkdirSync(file), /: it is a directory$/],
    ['a loop of links', (file) => symlinkSync('exercise2.ts', file), /too many symbolic links/],
    // An empty file that waits for the next message of the kernel, or only its owner may read it.
    ['a file that waits', (file) => symlinkSync('/proc/kmsg', file), /^cannot read /],
    ['a file of 3 GB', (file) => writeFileSync(file, '') ?? truncateSync(file, 3e9), /is larger than the limit of 1 MiB$/],
  ])('%s is refused at once', async (_, make, says) => {
    const file = path();
    make(file);
    await expect(checkFile(file, 2)).rejects.toThrow(says);
  });
});

describe('an error after a line has returned', () => {
  it('is reported, and does not turn a row red', async () => {
    const checked = await check(
      1,
      exercise1With(
        {
          dh: '(at) => { Promise.reject(new Error("left behind")); return was.dh(at); }',
          dW2: '(at) => { setTimeout(() => { throw new RangeError("late"); }, 0); return was.dW2(at); }',
          db2: 'async (at) => was.db2(at)',
          dhpreact: '() => Promise.reject(new Error("no"))',
          dbngain: 'async () => todo()',
          dbnraw: '(at) => { setTimeout(() => process.exit(0), 0); return was.dbnraw(at); }',
        },
        'import { todo } from "backprop-ninja"; Promise.reject("at the top"); setTimeout(() => { throw null; }, 0);',
      ),
    );
    const problem = 'it returns a promise, expected a Tensor: a line cannot be async';
    expect(problems(checked)).toEqual({ db2: problem, dhpreact: problem, dbngain: problem });
    expect(checked.stderr.trimEnd().split('\n')).toEqual([
      "exercise1.ts: uncaught 'at the top'",
      'exercise1.ts: uncaught null',
      expect.stringMatching(/^exercise1\.ts: uncaught Error: left behind \(line \d+\)$/),
      expect.stringMatching(/^exercise1\.ts: uncaught RangeError: late \(line \d+\)$/),
      'exercise1.ts: after its line had returned, it calls process.exit, which would end the program',
    ]);
  });
});

/** A process that has ended keeps its number until init collects it, up to 2 s later. Its state tells that it has ended. */
function hasEnded(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return /\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}

describe('the process of a file', () => {
  it('does not outlive the program, even in a line that never ends', async () => {
    const text = 'console.log("process", process.pid); for (;;);';
    const child = startNinja(['exercise', 'check', '2'], { cwd: folder({ 'exercise2.ts': text }) });
    await child.says(/process \d+\n/);
    const pid = Number(/process (\d+)/.exec(child.output())?.[1]);
    process.kill(pid, 0);
    child.kill('SIGKILL');
    await child.ended;
    await vi.waitFor(() => expect(hasEnded(pid)).toBe(true), { timeout: HANGS });
  });
});

describe('a key of the file', () => {
  it('that is misspelt is named where its line is missing', async () => {
    const text = solutionText(EXERCISES[1]).replace('  dh: (', '  dH: (');
    expect(problems(await check(1, { 'exercise1.ts': text }))).toEqual({
      dh: 'missing from the default export; it has dH, which is not a line of this exercise',
    });
  });

  it('that the file has twice gets a note', async () => {
    const text = solutionText(EXERCISES[1]).replace('  dprobs: (', '  dprobs: () => todo(),\n  dprobs: (');
    const first = text.split('\n').findIndex((line) => line.startsWith('  dprobs: ')) + 1;
    const { report } = await check(1, { 'exercise1.ts': text });
    expect(report.lines.filter(({ note }) => note !== undefined)).toMatchObject([
      {
        name: 'dprobs',
        verdict: 'right',
        note: `the file has dprobs more than once, in lines ${first} and ${first + 1}: the last one counts`,
      },
    ]);
  });
});
