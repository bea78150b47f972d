// Learners' files that use up a limit: 5 s of computing time, or 1 GB of memory.
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { EXERCISES } from '../../src/dojo/exercises.js';
import { check, exercise1With, problems } from '../support/learnerFiles.js';

describe('a line that would end the program', () => {
  it('makes its own row red, with the reason', async () => {
    const checked = await check(
      1,
      exercise1With({
        dlogprobs: '() => process.exit()',
        dprobs: '() => process.abort()',
        dcounts: '() => { process.kill(process.pid, "SIGTERM"); for (;;); }',
        dh: '() => { for (let i = 0; ; i++) console.log(i); }',
        dW2: '() => { const f = () => f() + 1; return f(); }',
        dC: '() => { process.exitCode = 3; process.exit(); }',
      }),
    );
    expect(problems(checked)).toEqual({
      dlogprobs: 'it calls process.exit, which would end the program',
      dprobs: 'it calls process.abort, which would end the program',
      dcounts: 'it ended the program (SIGTERM)',
      dh: 'it did not finish within 5 s',
      dW2: expect.stringMatching(/^it threw RangeError: Maximum call stack size exceeded/),
      dC: 'it calls process.exit, which would end the program',
    });
    expect(checked.exitCode).toBe(1);
    // The output of a line that never ends is shown too.
    expect(checked.stderr.split('\n').slice(0, 2)).toEqual(['dh: 0', 'dh: 1']);
  });

  it('by taking all memory is stopped', async () => {
    const checked = await check(
      1,
      exercise1With({
        dlogprobs: '() => { const a = []; for (;;) a.push(new Float64Array(1e7).fill(1)); }',
        dprobs: '() => { const a = []; for (;;) a.push(new Array(1e7).fill(0.5)); }',
        dh: '() => { const a = []; for (let i = 0; ; i++) a[i] = i; }',
        dW2: '() => "x".repeat(2 ** 30)',
        db2: '() => new Float64Array(1e12)',
      }),
    );
    const stopped = expect.stringMatching(/^(it uses more than 1 GB of memory|it ended the program \(SIG\w+\)|it threw RangeError: .+)$/);
    expect(problems(checked)).toEqual({
      dlogprobs: 'it uses more than 1 GB of memory',
      dprobs: 'it uses more than 1 GB of memory',
      dh: stopped,
      dW2: expect.stringMatching(/^it threw RangeError: Invalid string length/),
      db2: expect.stringMatching(/^it threw RangeError: /),
    });
    expect(checked.stderr).toBe('');
  });
});

describe('a line that takes all memory where V8 has little', () => {
  it('is told so, without the pages that V8 prints', async () => {
    vi.stubEnv('NODE_OPTIONS', '--max-old-space-size=200');
    onTestFinished(() => void vi.unstubAllEnvs());
    const checked = await check(2, {
      'exercise2.ts': 'export default { dlogits: () => { const a = []; for (let i = 0; ; i++) a.push({ i }); } };',
    });
    expect(problems(checked)).toEqual({ dlogits: 'it uses more than 1 GB of memory' });
    expect(checked.stderr).toBe('');
  });
});

/** Waits of a minute and more, side by side. */
describe('a file that cannot run, or whose lines all sleep', () => {
  it('ends at a limit, which says why, and every line gets a report', async () => {
    const broken = async (text: string) => {
      const { exitCode, report, stderr } = await check(2, { 'exercise2.ts': text });
      expect({ exitCode, lines: report.lines, stderr }).toEqual({ exitCode: 1, lines: [], stderr: '' });
      return report.broken;
    };
    const sleep = '() => { Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0); }';
    const names = EXERCISES[1].lines.map(({ name }) => name);
    const [loop, wait, stopped, deaf, memory, asleep] = await Promise.all([
      broken('for (;;);'),
      broken('await new Promise((resolve) => setTimeout(resolve, 1e9)); export default {};'),
      broken('process.kill(process.pid, "SIGSTOP"); export default {};'),
      // Without the watchdog's file descriptor.
      broken('import fs from "node:fs"; fs.closeSync(5); for (;;);'),
      broken('const a = []; for (;;) a.push(new Array(1e7).fill(0.5));'),
      check(1, exercise1With(Object.fromEntries(names.map((name) => [name, sleep])))),
    ]);
    expect({ loop, wait, stopped, deaf, memory }).toEqual({
      loop: 'it did not finish within 5 s',
      wait: 'it did not finish within 60 s',
      stopped: 'it did not finish within 60 s',
      deaf: 'it ended the program (SIGKILL)',
      memory: 'it uses more than 1 GB of memory',
    });
    expect(asleep.report.lines.map(({ name }) => name)).toEqual(names);
    expect(asleep.report.lines[0].problem).toBe('it did not finish within 60 s');
    expect(asleep.report.lines.at(-1)?.problem).toBe('the check of the whole file did not finish within 180 s');
  });
});
