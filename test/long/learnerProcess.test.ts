// What a file does to the process, its output and its children, seen by someone who runs the command.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { EXERCISES } from '../../src/dojo/exercises.js';
import { solutionText } from '../../src/dojo/stub.js';
import { HANGS } from '../support/child.js';
import { check, exercise1With, problems } from '../support/learnerFiles.js';
import { tempDirectory } from '../support/tempDirectory.js';

const LINE = '({ logits, Yb, n }: any) => softmax(logits).sub(Tensor.oneHot(Yb, logits.shape[1])).div(n)';

/** Exercise 2, right, with code that runs in its line, each time. */
const doing = (code: string) => ({
  'exercise2.ts': `import fs from "node:fs"; import child from "node:child_process"; import net from "node:net"; import { softmax, Tensor } from "backprop-ninja";
const line = ${LINE}; export default { dlogits: (at: any) => { ${code}; return line(at); } };`,
});

describe('what a file prints', () => {
  it.each([
    ['to the file descriptors', 'fs.writeSync(1, "one\\n"); fs.writeSync(2, "two")', ['dlogits: one', 'dlogits: two']],
    ['to the file descriptor of the stream', 'fs.writeSync(process.stdout.fd, "one\\n")', ['dlogits: one']],
    ['from a child', 'child.spawnSync("echo", ["one"], { stdio: "inherit" })', ['dlogits: one']],
    ['in colours', 'console.log("\\x1b[31mred\\x1b[0m\\x07")', ['dlogits: \\x1b[31mred\\x1b[0m\\x07']],
    ['around the streams', '(process as any)._rawDebug("raw \\u202e")', ['dlogits: raw \\u202e']],
    ['in bytes and encodings', 'process.stdout.write(Buffer.from("a")); process.stdout.write("6263", "hex")', ['dlogits: abc']],
  ])('%s is shown once, escaped, after the name of its line', async (_, code, lines) => {
    const { report, stderr } = await check(2, doing(code));
    expect(report.ok).toBe(true);
    expect(stderr.trimEnd().split('\n').sort()).toEqual([...lines].sort());
  });

  it.each([
    ['a line of 100 MB', 'fs.writeSync(1, Buffer.alloc(1e8, 120)); fs.writeSync(1, "\\n")', 2_100],
    ['a million lines', 'for (let i = 0; i < 100; i++) process.stdout.write("x\\n".repeat(1e4))', 20_000],
    ['a million lines of a child', 'child.spawnSync("sh", ["-c", "yes | head -1000000"], { stdio: "inherit" })', 20_000],
  ])('is cut: %s', async (_, code, size) => {
    const { report, stderr } = await check(2, doing(`if (at.logits.dtype === "float32") { ${code} }`));
    expect(report.ok).toBe(true);
    expect(stderr.length).toBeLessThan(size);
    expect(stderr).toMatch(/…\n$/);
  });
});

/** Whether a process is gone, or only waits to be collected. */
function hasEnded(pid: number): boolean {
  try {
    return /\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return true;
  }
}

describe('processes that a file starts', () => {
  it.each([
    ['a child that is left behind', 'child.spawn("sleep", ["600"], { stdio: "ignore" })'],
    ['a child that holds all streams', 'child.spawn("sleep", ["600"], { stdio: "inherit" })'],
    ['a child of a shell', 'child.spawn("sh", ["-c", "sleep 600 & wait"])'],
  ])('end with the check: %s', async (_, start) => {
    const note = join(tempDirectory(), 'pid');
    const { report } = await check(2, doing(`if (!fs.existsSync("${note}")) fs.writeFileSync("${note}", String(${start}.pid))`));
    expect(report.ok).toBe(true);
    const pid = Number(readFileSync(note, 'utf8'));
    await vi.waitFor(() => expect(hasEnded(pid)).toBe(true), { timeout: HANGS });
  });

  it('and a server or a timer do not keep the check waiting', async () => {
    const { report } = await check(2, doing('net.createServer().listen(0); setInterval(() => {}, 1000)'));
    expect(report.ok).toBe(true);
  });

  it('that leave the group are not waited for, although they hold the streams', async () => {
    const note = join(tempDirectory(), 'pid');
    const start = 'child.spawn("sleep", ["600"], { stdio: "inherit", detached: true })';
    const { report } = await check(2, doing(`if (!fs.existsSync("${note}")) fs.writeFileSync("${note}", String(${start}.pid))`));
    expect(report.ok).toBe(true);
    process.kill(Number(readFileSync(note, 'utf8')), 'SIGKILL');
  });
});

describe('a line that ends its process', () => {
  it.each([
    ['by SIGKILL', 'process.kill(process.pid, "SIGKILL")', 'it ended the program (SIGKILL)'],
    ['by killing its group', 'process.kill(0, "SIGKILL")', 'it ended the program (SIGKILL)'],
    ['by an exit that is not announced', '(process as any).reallyExit(0)', 'it ended the program (exit code 0)'],
    ['by SIGSEGV', 'process.kill(process.pid, "SIGSEGV"); for (;;);', 'it ended the program (SIGSEGV)'],
    ['without its listeners', 'process.removeAllListeners(); process.exit(0)', 'it calls process.exit, which would end the program'],
  ])('%s makes its own row red', async (_, code, why) => {
    expect(problems(await check(1, exercise1With({ dh: `() => { ${code} }` })))).toEqual({ dh: why });
  });

  it('on one batch only makes its own row red', async () => {
    const { report } = await check(2, doing('if (at.n === 3) process.kill(process.pid, "SIGKILL")'));
    expect(report.lines[0]).toMatchObject({ verdict: 'failed', problem: 'it ended the program (SIGKILL)' });
  });
});

describe('training with the lines of Exercise 4', () => {
  const exercise4 = (code: string) => ({
    'exercise4.ts': `import four from "./solved4"; import { Tensor } from "backprop-ninja"; let runs = 0;
export default { ...four, dh: (at: any) => { const dh = four.dh(at); if (++runs <= 7) return dh; ${code} } };`,
  });
  it.each([
    ['returns NaN', 'return dh.mul(NaN)', /^the loss is NaN after 8 steps$/],
    ['returns nothing', 'return', /^dh: it returns nothing: /],
    ['throws', 'throw new Error("enough")', /^dh: it threw Error: enough/],
    ['ends the process', 'process.exit(0)', /^it calls process\.exit/],
    ['writes a loss', 'require("fs").writeSync(4, JSON.stringify({ lastLoss: 0 }))', /^its process sends what is no result/],
    ['returns another shape', 'return Tensor.zeros([2, 2])', /^(dhpreact: it threw ShapeError|dW|dh)/],
  ])('says why it failed, where a line %s only then', async (_, code, why) => {
    const { report, exitCode } = await check(4, { ...exercise4(code), 'solved4.ts': solutionText(EXERCISES[4]) });
    expect({ ok: report.ok, exitCode }).toEqual({ ok: true, exitCode: 0 });
    expect(report.training).toEqual({ problem: expect.stringMatching(why) });
  });
});
