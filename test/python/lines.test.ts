import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ninja } from '../support/child.js';
import { runPython } from '../support/python.js';
import { put, tempDirectory } from '../support/tempDirectory.js';

const HEAD = 'import torch, torch.nn.functional as F\nimport ninja\n';

/** Runs a script, and reads the rows of the reports: what is said about each gradient. */
async function judged(script: string) {
  const { stdout, stderr } = await runPython(tempDirectory(), HEAD + script);
  expect(stderr).toBe('');
  const rows = [...stdout.matchAll(/^([✓✗·]) (d\w+) +\[.*?\](.*)$/gm)];
  return { stdout, rows: Object.fromEntries(rows.map(([, mark, name, rest]) => [name, `${mark} ${rest.trim()}`])) };
}

describe('ninja.lines', () => {
  it('proves what values cannot show, and is true for right lines', async () => {
    const { rows, stdout } = await judged(`
print(bool(ninja.lines(
    dlogit_maxes=lambda at: -at.dnorm_logits.sum(1, keepdim=True),
    dlogits=lambda at: at.dnorm_logits + F.one_hot(at.logits.max(1).indices, num_classes=at.V) * at.dlogit_maxes,
    db1=lambda at: at.dhprebn.sum(0),
    dembcat=lambda at: at['dhprebn'] @ at.W1.T,
    demb=lambda at: at.dembcat.view(at.n, at.T, at.E),
)))
print(bool(ninja.lines(dlogits=lambda at: (torch.softmax(at.logits, 1) - F.one_hot(at.Yb, at.V)) / at.n, exercise=2)))
n = 32
print(bool(ninja.lines(db1=lambda at: 2 * at.dhprebn.sum(0), dlogit_maxes=lambda at: at.dnorm_logits.sum(1, keepdim=True))))`);
    expect(rows).toMatchObject({
      demb: expect.stringMatching(/^✓/),
      dembact: expect.stringMatching(/^✓/),
      db1: expect.stringMatching(/^✗.*too large by a factor of 2/),
      dlogit_maxes: expect.stringMatching(/^✗.*the sign is wrong/),
    });
    expect(stdout.split('\n').filter((line) => /^(True|False)$/.test(line))).toEqual(['True', 'True', 'False']);
  });

  it('says what is wrong with a line that returns no tensor, with its line in the cell', async () => {
    const { rows, stdout } = await judged(`
def dh(at):
    first = 1
    return at.foo

def dW2(at): ...

def dbnvar(at):
    raise NotImplementedError('later')

ninja.lines(
    dh=dh, dW2=dW2, dbnvar=dbnvar, db1=None, dlogprobs=lambda at: ...,
    dprobs=3, dcounts=torch.ones(2), db2=lambda at: print('only a note'), dbngain=lambda at: torch.max(at.h, 1), dbnbias=lambda at: 'x',
    dcounts_sum=lambda at: at.dcounts, dnorm_logits=lambda at: at['coutns'], dhprebn=lambda at: at.dhprebn, dbnraw=lambda at: at.Xb * 2,
    dcounts_sum_inv=lambda at: 0.0, dC=lambda at: exit(), dW1=lambda at: {}['x'], dprob=lambda at: at.probs)`);
    expect(rows).toMatchObject({
      dh: expect.stringContaining('AttributeError: there is no value foo (line 6)'),
      dW2: '· not written yet',
      dbnvar: '· not written yet',
      dlogprobs: '· not written yet',
      dprobs: expect.stringContaining('an int, expected a function'),
      dcounts: expect.stringContaining('a Tensor, expected a function'),
      db2: expect.stringContaining('return'),
      dbngain: expect.stringContaining('a tuple'),
      dbnbias: expect.stringContaining('a str'),
      dcounts_sum: expect.stringContaining('dcounts is computed after dcounts_sum'),
      dnorm_logits: expect.stringContaining('KeyError: there is no value coutns; did you mean counts?'),
      dhprebn: expect.stringContaining('dhprebn is what this line computes'),
      dbnraw: expect.stringContaining('I64'),
      dcounts_sum_inv: expect.stringContaining('0 everywhere'),
      dC: expect.stringContaining('SystemExit'),
      dW1: expect.stringContaining('KeyError: x'),
    });
    expect(rows).not.toHaveProperty('db1');
    expect(stdout.match(/only a note/g)).toHaveLength(1);
    expect(stdout).toContain('dprob (did you mean dprobs?)');
  });

  it('notices a line that changes what it is given, and gives the next one fresh values', async () => {
    const { rows } = await judged(`
def dprobs(at):
    at['dlogprobs'] /= at.probs
    return at.dlogprobs
ninja.lines(dprobs=dprobs, dhpreact=lambda at: at.h.pow_(2).neg_().add_(1) * at.dh, dbngain=lambda at: (at.bnraw * at.dhpreact).sum(0, keepdim=True))`);
    expect(rows).toEqual({
      dprobs: expect.stringMatching(/^✗.*changes dlogprobs/),
      dhpreact: expect.stringMatching(/^✗.*changes h,/),
      dbngain: expect.stringMatching(/^✓/),
    });
  });

  it('takes a result of autograd, in float32, and sizes written as numbers are recognised', async () => {
    const { rows } = await judged(`
ninja.lines(
    dprobs=lambda at: (at.dlogprobs / at.probs.requires_grad_()),
    dcounts_sum_inv=lambda at: (at.counts * at.dprobs).sum(1, keepdim=True).float(),
    db1=lambda at: torch.zeros(64) + at.dhprebn.sum(0),  # 32 examples
    dlogprobs=lambda at: torch.zeros_like(at.logprobs).index_put_((torch.arange(at.n), at.Yb), torch.tensor(-1 / at.n)))`);
    expect(rows).toEqual({
      dlogprobs: expect.stringMatching(/^✓/),
      dprobs: expect.stringMatching(/^✓/),
      dcounts_sum_inv: expect.stringMatching(/^✓/),
      db1: expect.stringMatching(/^✗ 64 is H in the lesson/),
    });
  });

  it('takes the functions among all variables, and no tensors', async () => {
    const { rows, stdout } = await judged(`
def dprobs(at):
    return at.dlogprobs / at.probs
def dcount(at):
    return at.counts
dcounts = torch.ones(2)
ninja.lines(locals())`);
    expect(Object.keys(rows)).toEqual(['dprobs']);
    expect(stdout).toContain('dcount (did you mean dcounts?)');
  });

  it('works with NumPy alone, and with neither', async () => {
    const script = (blocked: string) => `
import sys
sys.modules.update(dict.fromkeys(${blocked}))
import ninja
kinds = []
def db1(at):
    kinds.append(type(at.dhprebn).__name__)
    return [sum(column) for column in zip(*at.dhprebn)] if kinds[0] == 'list' else at.dhprebn.sum(0)
def dprobs(at):
    at.probs[0][0] = 1
    return at.probs
print(bool(ninja.lines(db1=db1)), kinds[0])
ninja.lines(dprobs=dprobs)`;
    const numpy = await runPython(tempDirectory(), script("['torch']"));
    expect(numpy.stderr).toBe('');
    expect(numpy.stdout).toContain('True ndarray');
    const neither = await runPython(tempDirectory(), script("['torch', 'numpy']"));
    expect(neither.stderr).toBe('');
    expect(neither.stdout).toContain('True list');
    for (const { stdout } of [numpy, neither]) expect(stdout).toMatch(/✗ dprobs.*changes probs/);
  });
});

describe('python ninja.py DIR FILE.py', () => {
  /** Runs a file of lines as `exercise check` does, and reads what came back. */
  async function answered(file: string, { exercise = '1', gradient = [] as string[], content = '' } = {}) {
    const cwd = tempDirectory();
    expect((await ninja(['exercise', 'cases', exercise, '--out', 'cases'], { cwd })).exitCode).toBe(0);
    const path = put(cwd, `mine/${file}`, content);
    put(cwd, 'mine/helper.py', 'def half(x): return x / 2\n');
    const runner = `import runpy, sys\nsys.argv[0] = ${JSON.stringify(NINJA_PY)}\nrunpy.run_path(sys.argv[0], run_name='__main__')`;
    const { stderr, stdout, exitCode } = await runPython(cwd, runner, { args: ['cases', path, ...gradient] });
    expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 });
    const { stdout: report } = await ninja(['exercise', 'judge', 'cases', '--json'], { cwd });
    const answers = JSON.parse(readFileSync(join(cwd, 'cases/answers.json'), 'utf8'));
    return { stdout, answers, report: report === '' ? undefined : JSON.parse(report).exercises[0] };
  }
  const NINJA_PY = join(import.meta.dirname, '../../python/ninja.py');

  it("computes the file's functions, and those that it passes to ninja.lines", async () => {
    const { answers, report } = await answered('mine.py', {
      content: `
import ninja
from helper import half
def dprobs(at):
    """The gradient of log."""
    # 1/p
    return at.dlogprobs / at.probs  # elementwise
dcount = lambda at: at.counts
ninja.check(locals())
ninja.lines(dh=lambda at: at.dlogits @ at.W2.T, db2=lambda at: at.dlogits)
ninja.lines(dlogits=lambda at: at.logits, exercise=2)
`,
    });
    expect(answers).toEqual({
      lines: {
        dprobs: {
          text: expect.stringMatching(/^def dprobs\(at\):\n {4}"""The gradient of log\."""\n\s*return at\.dlogprobs \/ at\.probs\s*$/),
        },
        dh: { text: 'lambda at: at.dlogits @ at.W2.T' },
        db2: { text: 'lambda at: at.dlogits' },
      },
      strays: ['dcount'],
      others: { 2: ['dlogits'] },
      dropped: [],
    });
    expect(report.lines.map(({ name, verdict }: { name: string; verdict: string }) => `${name} ${verdict}`)).toEqual([
      'dprobs right',
      'dh right',
      'db2 wrong',
    ]);
  });

  it('computes one gradient, if it is named, and the lines of its exercise', async () => {
    const content = 'def dprobs(at): return at.probs\ndef dlogits(at): return at.logits\nprint("loaded")\n';
    const one = await answered('mine.py', { content, gradient: ['dprobs'] });
    expect(Object.keys(one.answers.lines)).toEqual(['dprobs']);
    expect(one.stdout).toBe('loaded\n');
    const two = await answered('exercise2.py', { content, exercise: '2' });
    expect(two.answers).toMatchObject({ lines: { dlogits: {} }, strays: [] });
  });

  it.each([
    [
      'a syntax error',
      'x = 1\ndef dh(at):\n  return (\n',
      { id: 'file-threw', thrown: { text: expect.stringMatching(/^SyntaxError: /), line: 3 } },
    ],
    ['an error', 'x = 1\ny = z\n', { id: 'file-threw', thrown: { text: "NameError: name 'z' is not defined", line: 2 } }],
    [
      'a missing module',
      'import no_such_module\n',
      { id: 'file-threw', thrown: { text: "ModuleNotFoundError: No module named 'no_such_module'", line: 1 } },
    ],
    ['sys.exit', 'import sys\nsys.exit(3)\n', { id: 'calls-exit', call: 'sys.exit()' }],
  ])('reports %s of the file', async (_, content, fault) => {
    const { answers } = await answered('mine.py', { content });
    expect(answers).toMatchObject({ fault });
  });
});
