// exercise check FILE.py, with the built program and real Python.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { ExerciseReport } from '../../src/dojo/exerciseReport.js';
import { type Ended, HANGS, startNinja } from '../support/child.js';
import { PYTHON } from '../support/python.js';
import { put, tempDirectory } from '../support/tempDirectory.js';

/** The lecture's own lines, as functions. */
const LECTURE = `import torch
import torch.nn.functional as F

def dlogprobs(at):
    dlogprobs = torch.zeros_like(at.logprobs)
    dlogprobs[range(at.n), at.Yb] = -1.0 / at.n
    return dlogprobs

dprobs = lambda at: (1.0 / at.probs) * at.dlogprobs
dcounts_sum_inv = lambda at: (at.counts * at.dprobs).sum(1, keepdim=True)
dcounts_sum = lambda at: (-at.counts_sum**-2) * at.dcounts_sum_inv

def dcounts(at):
    dcounts = at.counts_sum_inv * at.dprobs
    dcounts += torch.ones_like(at.counts) * at.dcounts_sum
    return dcounts

dnorm_logits = lambda at: at.counts * at.dcounts
dlogit_maxes = lambda at: (-at.dnorm_logits).sum(1, keepdim=True)

def dlogits(at):
    dlogits = at.dnorm_logits.clone()
    dlogits += F.one_hot(at.logits.max(1).indices, num_classes=at.logits.shape[1]) * at.dlogit_maxes
    return dlogits

dh = lambda at: at.dlogits @ at.W2.T
dW2 = lambda at: at.h.T @ at.dlogits
db2 = lambda at: at.dlogits.sum(0)
dhpreact = lambda at: (1.0 - at.h**2) * at.dh
dbngain = lambda at: (at.bnraw * at.dhpreact).sum(0, keepdim=True)
dbnraw = lambda at: at.bngain * at.dhpreact
dbnbias = lambda at: at.dhpreact.sum(0, keepdim=True)
dbnvar_inv = lambda at: (at.bndiff * at.dbnraw).sum(0, keepdim=True)
dbnvar = lambda at: (-0.5*(at.bnvar + 1e-5)**-1.5) * at.dbnvar_inv
dbndiff2 = lambda at: (1.0/(at.n-1))*torch.ones_like(at.bndiff2) * at.dbnvar

def dbndiff(at):
    dbndiff = at.bnvar_inv * at.dbnraw
    dbndiff += (2*at.bndiff) * at.dbndiff2
    return dbndiff

dbnmeani = lambda at: (-at.dbndiff).sum(0)

def dhprebn(at):
    dhprebn = at.dbndiff.clone()
    dhprebn += 1.0/at.n * (torch.ones_like(at.hprebn) * at.dbnmeani)
    return dhprebn

dembcat = lambda at: at.dhprebn @ at.W1.T
dW1 = lambda at: at.embcat.T @ at.dhprebn
db1 = lambda at: at.dhprebn.sum(0)
demb = lambda at: at.dembcat.view(at.emb.shape)

def dC(at):
    dC = torch.zeros_like(at.C)
    for k in range(at.Xb.shape[0]):
        for j in range(at.Xb.shape[1]):
            ix = at.Xb[k,j]
            dC[ix] += at.demb[k,j]
    return dC
`;

/** Checks a file in a new directory. Nothing may be left beside it. */
async function check(files: Record<string, string>, words: readonly string[], python = PYTHON): Promise<Ended> {
  const cwd = tempDirectory();
  for (const [name, text] of Object.entries(files)) put(cwd, name, text);
  const child = startNinja(['exercise', 'check', ...words, '--python', python], { cwd, env: { ...process.env, OMP_NUM_THREADS: '1' } });
  onTestFinished(() => child.kill('SIGKILL'));
  const ended = await child.ended;
  expect(readdirSync(cwd).sort()).toEqual(Object.keys(files).sort());
  return ended;
}

async function report(text: string, ...words: string[]): Promise<ExerciseReport> {
  const { stdout, stderr } = await check({ 'lines.py': text }, ['lines.py', ...words, '--json']);
  expect(stderr).toBe('');
  return (JSON.parse(stdout) as { exercises: ExerciseReport[] }).exercises[0];
}

const remarks = ({ lines }: ExerciseReport) => Object.fromEntries(lines.flatMap(({ name, problem }) => (problem ? [[name, problem]] : [])));

describe('exercise check FILE.py', () => {
  it("passes the lecture's own lines, with a remark on the shape of dbnmeani", async () => {
    const { ok, lines } = await report(LECTURE);
    expect(lines.filter(({ verdict }) => verdict !== 'right')).toEqual([]);
    expect(lines.filter(({ note }) => note !== undefined).map(({ name, note }) => [name, note])).toEqual([
      ['dbnmeani', 'its shape [64] is read as [1, 64]'],
    ]);
    expect({ ok, count: lines.length }).toEqual({ ok: true, count: 26 });
  });

  it("passes the lecture's closed forms", async () => {
    const dlogits = `
import ninja, torch
import torch.nn.functional as F
def dlogits(at):
    dlogits = F.softmax(at.logits, 1)
    dlogits[range(at.n), at.Yb] -= 1
    dlogits /= at.n
    return dlogits
`;
    const dhprebn = `
dhprebn = lambda at: at.bngain*at.bnvar_inv/at.n * (at.n*at.dhpreact - at.dhpreact.sum(0) - at.n/(at.n-1)*at.bnraw*(at.dhpreact*at.bnraw).sum(0))
`;
    const others = LECTURE.replace(/^def (dlogits|dhprebn)\(at\):\n( .*\n)+/gm, '');
    const files = { 'exercise2.py': dlogits, 'exercise3.py': dhprebn, 'exercise4.py': `${others}${dlogits}${dhprebn}` };
    for (const file of Object.keys(files)) expect(await check(files, [file])).toMatchObject({ exitCode: 0, stderr: '' });
  });

  it('names mistakes, also those that values cannot show, and errors with their line', async () => {
    const wrong = LECTURE.replace('db1 = lambda at: at.dhprebn.sum(0)', 'db1 = lambda at: at.dhprebn.mean(0)')
      .replace('dlogit_maxes = lambda at: (-at.dnorm_logits).sum(1, keepdim=True)', 'dlogit_maxes = lambda at: at.dnorm_logits.sum(1)')
      .replace('dhpreact = lambda at: (1.0 - at.h**2) * at.dh', 'dhpreact = lambda at: (1.0 - h**2) * at.dh')
      .replace('dW2 = lambda at: at.h.T @ at.dlogits', 'dW2 = lambda at: at.h.T @ at.dlogit')
      .replace('at.dembcat.view(at.emb.shape)', 'at.dembcat.view(32, 3, 10)')
      .replace('dbngain = lambda', 'dbngian = lambda');
    const found = remarks(await report(wrong));
    expect(found).toEqual({
      db1: 'it is divided by n once too often: that is a mean over the batch, and a sum belongs here',
      dlogit_maxes: 'the sign is wrong; the shape is wrong too: [32], expected [32, 1] (sum with keepdim=True)',
      dhpreact: expect.stringMatching(/^it threw NameError: name 'h' is not defined \(line \d+\): write at\.h$/),
      dW2: expect.stringMatching(/^it threw AttributeError: there is no value dlogit; did you mean dlogits\? \(line \d+\)$/),
      demb: expect.stringMatching(/^32 is n and 3 is T and 10 is E in the lesson: .*; on a batch of 2 .*it threw RuntimeError/),
      dbngain: expect.stringContaining('it has dbngian, which is not a line of this exercise'),
    });
  });

  it('ends a line that never ends, and one that ends its process; the others are judged', async () => {
    const { lines } = await report(`${LECTURE}
def dprobs(at):
    while True: pass

def dW2(at):
    import os
    os._exit(3)

def db2(at):
    import os
    os._exit(0)
`);
    expect(lines.filter(({ verdict }) => verdict === 'right')).toHaveLength(23);
    expect(remarks({ lines } as ExerciseReport)).toEqual({
      dprobs: 'it did not finish within 10 s',
      dW2: 'it ended the program (exit code 3)',
      db2: 'it ended the program (exit code 0)',
    });
  });

  it('judges the notebook as a script: its values as they were at ninja.check, and its functions alone', async () => {
    const cwd = tempDirectory();
    const start = startNinja(['exercise', 'start', '--python', '.'], { cwd });
    expect((await start.ended).exitCode).toBe(0);
    const notebook = readFileSync(join(cwd, 'backprop_ninja.py'), 'utf8')
      .replace('dlogprobs = None', 'dlogprobs = torch.zeros_like(logprobs)\ndlogprobs[range(n), Yb] = -1.0 / n')
      .replace('dprobs = None', 'dprobs = dlogprobs * probs')
      .replace('dlogit_maxes=lambda at: ...', 'dlogit_maxes=lambda at: at.dnorm_logits.sum(1, keepdim=True)')
      // What training does to the parameters.
      .concat('\nfor parameter in parameters:\n    parameter *= 2\n');
    put(cwd, 'backprop_ninja.py', notebook);
    const child = startNinja(['exercise', 'check', 'backprop_ninja.py', '--json', '--python', PYTHON], { cwd });
    const { ok, exercises, values } = JSON.parse((await child.ended).stdout);
    expect(ok).toBe(false);
    expect(remarks(exercises[0])).toMatchObject({ dlogit_maxes: 'the sign is wrong' });
    expect(exercises[0].lines.map(({ name }: { name: string }) => name)).not.toContain('dlogprobs');
    expect({ culprits: values.culprits, first: values.forward.first, compared: values.compared }).toEqual({
      culprits: ['dprobs'],
      first: null,
      compared: 2,
    });
  });

  it('judges all that the file passes to ninja.check, and does not stop it at an assert', async () => {
    const names = readFileSync('data/names.txt', 'utf8');
    const text = (factor: string) => `${readFileSync(join('python', 'backprop_ninja.py'), 'utf8').split('# ## Exercise 1')[0]}
dlogprobs = torch.zeros_like(logprobs)
dlogprobs[range(n), Yb] = -1.0 / n
dprobs = dlogprobs / probs
assert ninja.check(locals())
def judge():
    return ninja.check(C=C, W1=W1, b1=b1, W2=W2, b2=b2, bngain=bngain, bnbias=bnbias, Xb=Xb, Yb=Yb, dlogprobs=dlogprobs * ${factor})
assert judge() and ninja.lines(exercise=2, dlogits=lambda at: at.logits)
`;
    for (const [factor, code] of [
      ['2', 1],
      ['1', 0],
    ] as const) {
      const { stdout } = await check({ 'lines.py': text(factor), 'names.txt': names }, ['1', 'lines.py', '--json']);
      const { ok, values, moreValues, notJudged } = JSON.parse(stdout);
      expect({ values: values.ok, more: moreValues[0].ok, line: moreValues[0].line > 100, notJudged }).toEqual({
        values: true,
        more: code === 0,
        line: true,
        notJudged: [{ id: 'other-exercise', text: '1 line of Exercise 2 was not judged: exercise check 2 lines.py' }],
      });
      expect(ok).toBe(false);
    }
    const { exitCode, stdout } = await check({ 'lines.py': text('2'), 'names.txt': names }, ['lines.py', 'dprobs']);
    expect({ exitCode, rows: stdout.match(/^. d\w+/gm) }).toEqual({ exitCode: 0, rows: ['✓ dprobs'] });
  });

  it('shows what the file prints once, escaped, and reads files beside it', async () => {
    const text = "print(open('data.txt').read())\ndef dh(at):\n    print('\\x1b[2J', tuple(at.h.shape))\n    return at.dlogits @ at.W2.T\n";
    const { exitCode, stdout, stderr } = await check({ 'lines.py': text, 'data.txt': 'é' }, ['lines.py', 'dh']);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: 'lines.py: é\nlines.py: \\x1b[2J (32, 64)\n' });
    expect(stdout).toContain('✓ dh ');
  });

  it.runIf(process.platform === 'linux')('ends with the program, even if that is killed', async () => {
    const cwd = tempDirectory();
    put(cwd, 'lines.py', "import os, time\nprint('pid', os.getpid())\ntime.sleep(1000)\n");
    const child = startNinja(['exercise', 'check', 'lines.py', '--python', PYTHON], { cwd, env: { ...process.env, TMPDIR: cwd } });
    await child.says(/pid \d+\n/);
    const pid = Number(/pid (\d+)/.exec(child.output())?.[1]);
    child.kill('SIGKILL');
    await child.ended;
    await vi.waitFor(() => expect(() => process.kill(pid, 0)).toThrow('ESRCH'), { timeout: HANGS / 10 });
  });

  it.each([
    [
      'a syntax error',
      'def dh(at):\n    return (at.dlogits @\n',
      /^lines\.py cannot run: SyntaxError: .* \(line 2\).*return \(at\.dlogits @$/m,
    ],
    [
      'a missing module',
      'import nothing_like_it\n',
      /^lines\.py cannot run: ModuleNotFoundError: No module named 'nothing_like_it' \(line 1\)$/m,
    ],
    ['an exit', 'import sys\nsys.exit(0)\n', /^lines\.py cannot run: it calls sys\.exit\(\), which would end the program$/m],
    ['an error', 'x = 1\n1 / 0\n', /^lines\.py cannot run: ZeroDivisionError: division by zero \(line 2\)$/m],
  ])('says where a file with %s fails', async (_, text, says) => {
    const { exitCode, stdout, stderr } = await check({ 'lines.py': text }, ['lines.py']);
    expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: '' });
    expect(stdout).toMatch(says);
  });
});
