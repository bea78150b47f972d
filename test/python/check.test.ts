import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runPython } from '../support/python.js';
import { put, tempDirectory } from '../support/tempDirectory.js';

/** A forward pass with the lesson's names, and autograd's gradient of every tensor under d + name. */
const LESSON = `
import os, sys
import torch
import ninja

def lesson(dtype=torch.float64, n=32, T=3, E=4, H=6, V=9):
    g = torch.Generator().manual_seed(1)
    normal = lambda *shape: torch.randn(shape, generator=g, dtype=torch.float64).to(dtype).requires_grad_()
    C, W1, b1, W2, b2, bngain, bnbias = normal(V, E), normal(T * E, H), normal(H), normal(H, V), normal(V), normal(1, H), normal(1, H)
    Xb, Yb = torch.randint(0, V, (n, T), generator=g), torch.randint(0, V, (n,), generator=g)
    emb = C[Xb]
    embcat = emb.view(n, -1)
    hprebn = embcat @ W1 + b1
    bnmeani = 1 / n * hprebn.sum(0, keepdim=True)
    bndiff = hprebn - bnmeani
    bndiff2 = bndiff**2
    bnvar = 1 / (n - 1) * bndiff2.sum(0, keepdim=True)
    bnvar_inv = (bnvar + 1e-5) ** -0.5
    bnraw = bndiff * bnvar_inv
    hpreact = bngain * bnraw + bnbias
    h = torch.tanh(hpreact)
    logits = h @ W2 + b2
    logit_maxes = logits.max(1, keepdim=True).values
    norm_logits = logits - logit_maxes
    counts = norm_logits.exp()
    counts_sum = counts.sum(1, keepdim=True)
    counts_sum_inv = counts_sum**-1
    probs = counts * counts_sum_inv
    logprobs = probs.log()
    loss = -logprobs[range(n), Yb].mean()
    values = {k: v for k, v in locals().items() if isinstance(v, torch.Tensor) and v.requires_grad and k != 'loss'}
    for v in values.values():
        v.retain_grad()
    loss.backward()
    return {**values, 'Xb': Xb, 'Yb': Yb, 'loss': loss, **{'d' + k: v.grad for k, v in values.items()}}
`;

async function run(script: string, options: Parameters<typeof runPython>[2] = {}, cwd = tempDirectory()) {
  const { stdout, stderr, exitCode } = await runPython(cwd, `${LESSON}\n${script}`, options);
  return { stdout, stderr, exitCode, last: stdout.trimEnd().split('\n').at(-1) };
}

describe('ninja.check', () => {
  it.each(['torch.float64', 'torch.float32'])("is true for autograd's own gradients in %s, and shows the report", async (dtype) => {
    const { stdout, stderr, last } = await run(`print(bool(ninja.check(lesson(${dtype}))))`);
    expect(stderr).toBe('');
    expect(stdout).toContain('26 of 26');
    expect(last).toBe('True');
  });

  it('is false for a wrong gradient, and names it', async () => {
    const { stdout, last } = await run(`
t = lesson()
t['dbnraw'] = t['dhpreact']
print(bool(ninja.check(**t)))`);
    expect(stdout).toMatch(/dbnraw/);
    expect(last).toBe('False');
  });

  it("takes the lesson's names from the variables of a notebook, and what is None is absent", async () => {
    const { stdout, stderr, last } = await run(`
t = lesson()
words, ix, g, x, lossi, bnmean = ['emma'], t['Yb'], torch.Generator(), torch.ones(3), [1.0], t['bnmeani']
globals().update(t)
dC = None
print(bool(ninja.check(globals())))`);
    expect(stderr).toBe('');
    expect(stdout).toContain('25 of 26');
    expect(stdout).not.toMatch(/\b(ix|words|lossi|bnmean)\b/);
    expect(last).toBe('True');
  });

  it('reports a misspelt name, with the right one', async () => {
    const names = {
      dhprect: 'dhpreact',
      dw1: 'dW1',
      dcount_sum_inv: 'dcounts_sum_inv',
      grad_C: 'dC',
      dlogit_maxs: 'dlogit_maxes',
      dbnmean: 'dbnmeani',
    };
    const { stdout, last } = await run(`
t = lesson()
t['sys'] = sys
names = ${JSON.stringify(names)}
for wrong, right in names.items():
    t[wrong] = t.pop(right)
print(bool(ninja.check(t)))`);
    for (const [wrong, right] of Object.entries(names)) expect(stdout).toMatch(new RegExp(`${wrong}.*did you mean ${right}`));
    expect(stdout).toContain('20 of 26');
    expect(last).toBe('False');
  });

  it('leaves out a helper beside the gradient that it is part of, and says so', async () => {
    const { stdout, last } = await run(`
t = lesson()
t['dcounts1'] = t['dcounts'] / 2
print(bool(ninja.check(t)))`);
    expect(stdout).toContain('note: dcounts1 was left out, because dcounts is there');
    expect(last).toBe('True');
  });

  it('judges no gradient of a leaf that was not given', async () => {
    const { stdout } = await run(`
t = lesson()
del t['dC']
ninja.check(t)`);
    expect(stdout).toMatch(/absent: dC|dC is absent|25 of 26/);
  });

  it('takes a helper whose name is as near to a gradient that is not there for that one', async () => {
    const { stdout, last } = await run(`
t = lesson()
t['dbndiff3'] = t.pop('dbndiff2')
print(bool(ninja.check(t)))`);
    expect(stdout).toMatch(/dbndiff3.*did you mean/);
    expect(last).toBe('False');
  });

  it('takes arrays of NumPy and lists', async () => {
    const { stdout, last } = await run(`
t = {k: v.detach().numpy() for k, v in lesson().items()}
t['Yb'], t['loss'], t['db2'] = t['Yb'].tolist(), float(t['loss']), t['db2'].tolist()
print(bool(ninja.check(**t)))`);
    expect(stdout).toContain('26 of 26');
    expect(last).toBe('True');
  });

  it('judges the forward pass before there is a gradient, and says if there is nothing to judge', async () => {
    const { stdout } = await run(`
t = {k: None if k.startswith('d') else v for k, v in lesson().items()}
print(bool(ninja.check(t)))
t['bnvar'] = t['bnvar'] * 31 / 32
print(bool(ninja.check(t)))
print(bool(ninja.check({k: t[k] for k in 'C W1 b1 W2 b2 bngain bnbias Xb Yb loss'.split()})))`);
    expect(stdout).toContain('the forward pass: 20 tensors right');
    expect(stdout).toContain('note: there is no gradient yet: only the forward pass was judged\nTrue\n');
    expect(stdout).toMatch(/first at bnvar: the variance is divided by n/);
    expect(stdout).toMatch(/False\nnothing to judge yet: write dlogprobs, the first gradient, and check again\nFalse\n$/);
  });

  it('passes on the one line in which the program says what is missing', async () => {
    const { stderr, exitCode } = await run(`
t = lesson()
del t['W1']
ninja.check(t)`);
    expect(exitCode).toBe(1);
    expect(stderr.trimEnd().split('\n').at(-1)).toMatch(/^ninja\.Error: your tensors: missing W1/);
  });

  it('names what is no tensor', async () => {
    const { stderr } = await run("ninja.check(**{**lesson(), 'dC': print})");
    expect(stderr.trimEnd().split('\n').at(-1)).toMatch(/^TypeError: dC is a function, and cannot be saved/);
  });
});

describe('the program', () => {
  const FAKE = "import sys; print('judged', sys.argv[1], sys.argv[2])";

  it('is the one of program=, as words or a list, before that of $BACKPROP_NINJA', async () => {
    const cwd = tempDirectory();
    const fake = put(cwd, 'fake program.py', FAKE);
    const { stdout } = await run(
      `
t = lesson()
ninja.check(t, program=[sys.executable, ${JSON.stringify(fake)}])
ninja.check(t, program=sys.executable + ' "fake program.py"')
ninja.check(t)`,
      { env: { BACKPROP_NINJA: `${process.execPath} -e "console.log('mine')"` } },
      cwd,
    );
    expect(stdout).toBe('judged grad-check --against\n\njudged grad-check --against\n\nmine\n\n');
  });

  it('is the one on the PATH without them, then the one that npx finds, without a download', async () => {
    const cwd = tempDirectory();
    const script = `
for name in ['backprop-ninja', 'npx']:
    with open('bin/' + name, 'w') as file:
        file.write('#!/bin/sh\\necho ' + name + ' $1 $2\\n')
    os.chmod('bin/' + name, 0o755)
t = lesson()
ninja.check(t)
os.remove('bin/backprop-ninja')
ninja.check(t)`;
    put(cwd, 'bin/nothing', '');
    const { stdout } = await run(script, { env: { BACKPROP_NINJA: '', PATH: join(cwd, 'bin') } }, cwd);
    expect(stdout).toBe('backprop-ninja grad-check --against\n\nnpx --no-install backprop-ninja\n\n');
  });

  it('is asked for in one line if there is none', async () => {
    const { stderr } = await run('ninja.check(lesson())', { env: { BACKPROP_NINJA: '', PATH: '/nowhere' } });
    expect(stderr.trimEnd().split('\n').at(-1)).toBe(
      'ninja.Error: the program backprop-ninja was not found: $BACKPROP_NINJA is not set, it is not on the PATH, and there is no npx (Node.js 20.19 ' +
        'or later has it); install it here with npm install backprop-ninja, or name it, as in program="node path/to/bin/backprop-ninja.js"',
    );
  });

  it('is named if it does not exist', async () => {
    const { stderr } = await run("ninja.check(lesson(), program='no-such-program x')");
    expect(stderr.trimEnd().split('\n').at(-1)).toBe("ninja.Error: there is no program 'no-such-program', which program= names");
  });

  it.each([
    ['', 'in a notebook or a pipe'],
    [
      'import pty\npid, end = pty.fork()\nif pid:\n    try:\n        while text := os.read(end, 999): sys.stdout.buffer.write(text)\n    except OSError: sys.exit()\n',
      'in a terminal',
    ],
  ])('is an error if it cannot start or crashes, with the line that says why %#', async (start) => {
    const { stdout } = await run(`${start}
t = lesson()
for program in ['node missing.js', [sys.executable, '-c', 'import sys; print("note: x", file=sys.stderr); 1 / 0']]:
    try:
        print(ninja.check(t, program=program))
    except ninja.Error as error:
        print('Error', error)`);
    expect(stdout).toMatch(
      /^Error node missing\.js does not work: Error: Cannot find module '.*missing\.js'\r?\nError .*python.* does not work: ZeroDivisionError: division by zero\r?\n$/,
    );
  });

  it('leaves no file behind', async () => {
    const cwd = tempDirectory();
    const tmp = join(cwd, 'tmp');
    const { stdout } = await run(
      `
os.mkdir('tmp')
ninja.check(lesson())
print(os.listdir('tmp'))`,
      { env: { TMPDIR: tmp } },
      cwd,
    );
    expect(existsSync(tmp)).toBe(true);
    expect(stdout.trimEnd().split('\n').at(-1)).toBe('[]');
  });
});

describe('in a notebook', () => {
  /** As much of IPython as ninja.py uses. */
  const IPYTHON = `
import types
shown = []
ipython, display = types.ModuleType('IPython'), types.ModuleType('IPython.display')
ipython.get_ipython = lambda: types.SimpleNamespace(kernel=True)
display.HTML, display.display = lambda text: text, shown.append
sys.modules.update({'IPython': ipython, 'IPython.display': display})
`;

  it('shows the report as HTML, and as the last expression of a cell nothing more', async () => {
    const { stdout } = await run(`${IPYTHON}
verdict = ninja.check(lesson(), program=[sys.executable, '-c', 'import sys; print("<p>" + sys.argv[-1] + "</p>")'])
print(shown, verdict._ipython_display_())`);
    expect(stdout).toBe("['<p>--html</p>\\n'] None\n");
  });

  it('shows an error in one line, without the frames of ninja.py', async () => {
    const { stdout } = await run(`${IPYTHON}
try:
    ninja.check(lesson(), program=[sys.executable, '-c', 'import sys; print("note: a note\\\\nerror: the reason; the way out", file=sys.stderr); sys.exit(3)'])
except ninja.Error as error:
    print(error._render_traceback_())`);
    expect(stdout).toBe("['ninja.Error: the reason; the way out']\n");
  });
});
