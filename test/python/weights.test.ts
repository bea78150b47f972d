// Weights from PyTorch and back: the losses of an imported network, and a training begun with parameters of PyTorch.
import { describe, expect, it } from 'vitest';
import { runCli } from '../support/fakeIO.js';
import { runPython } from '../support/python.js';
import { tempDirectory } from '../support/tempDirectory.js';

/** The lesson's network and its examples. The losses are computed in float64, from weights in float32. */
const NETWORK = `
import sys, torch, ninja
import torch.nn.functional as F

T, E, V = 3, 10, 27
CHARACTERS = '.abcdefghijklmnopqrstuvwxyz'

def examples(file):
    X, Y = [], []
    for name in open(file).read().split():
        context = [0] * T
        for ix in [CHARACTERS.index(c) for c in name + '.']:
            X.append(context)
            Y.append(ix)
            context = context[1:] + [ix]
    return torch.tensor(X), torch.tensor(Y)

def parameters(H):
    g = torch.Generator().manual_seed(H)
    normal = lambda *shape: torch.randn(shape, generator=g)
    p = {'C': normal(V, E), 'W1': normal(T * E, H) * (5 / 3) / (T * E) ** 0.5, 'b1': normal(H) * 0.1, 'bngain': normal(1, H) * 0.1 + 1,
         'bnbias': normal(1, H) * 0.1, 'W2': normal(H, V) * 0.1, 'b2': normal(V) * 0.1}
    for one in p.values():
        one.requires_grad_()
    return p

def hidden(p, X):
    return p['C'][X].view(len(X), -1) @ p['W1'] + p['b1']

def loss_of(p, X, Y, mean=None, var=None):
    h = hidden(p, X)
    if mean is None:
        mean, var = h.mean(0, keepdim=True), h.var(0, keepdim=True, unbiased=True)
    raw = (h - mean) * (var + 1e-5) ** -0.5
    return F.cross_entropy(torch.tanh(p['bngain'] * raw + p['bnbias']) @ p['W2'] + p['b2'], Y)

def step(p, X, Y, rate=0.1):
    loss = loss_of(p, X, Y)
    for one in p.values():
        one.grad = None
    loss.backward()
    with torch.no_grad():
        for one in p.values():
            one -= rate * one.grad
    return loss.item()
`;

async function python(cwd: string, script: string): Promise<string[]> {
  const { stdout, stderr, exitCode } = await runPython(cwd, `${NETWORK}\n${script}`);
  expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 });
  return stdout.trim().split('\n');
}

async function program(cwd: string, ...argv: string[]) {
  const { exitCode, stdout, stderr } = await runCli(cwd, argv);
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
  return { stdout, stderr };
}

/** A directory with the parts of the bundled names in lists/. */
async function withLists(): Promise<string> {
  const cwd = tempDirectory();
  await program(cwd, 'train', '--steps', '1', '--hidden', '2', '--out', 'any');
  await program(cwd, 'export', 'any', '--split', 'lists');
  return cwd;
}

describe('weights trained in PyTorch', () => {
  it.each([
    { H: 64, layout: 'lesson' },
    { H: 200, layout: 'nn.Linear' },
  ])('have the same losses as in float64, within 1e-6: H $H, layout of $layout', async ({ H, layout }) => {
    const cwd = await withLists();
    const [inPyTorch, own] = await python(
      cwd,
      `
X, Y = examples('lists/train.txt')
p = parameters(${H})
g = torch.Generator().manual_seed(1)
for i in range(500):
    ix = torch.randint(0, len(X), (32,), generator=g)
    step(p, X[ix], Y[ix])
saved = {k: v.detach() for k, v in p.items()}
if ${layout === 'nn.Linear' ? 'True' : 'False'}:
    saved = {**saved, 'W1': saved['W1'].T, 'W2': saved['W2'].T}
wide = {k: v.detach().double() for k, v in p.items()}
h = hidden(wide, X)
mean, var = h.mean(0, keepdim=True), h.var(0, keepdim=True, unbiased=True)
print([loss_of(wide, *examples(f'lists/{part}.txt'), mean, var).item() for part in ['train', 'val', 'test']])
print([loss_of(wide, *examples(f'lists/{part}.txt'), mean.float().double(), var.float().double()).item() for part in ['train', 'val', 'test']])
ninja.save('without.safetensors', saved)
ninja.save('with.safetensors', saved, bnmean=mean.float(), bnvar=var.float())
`,
    );
    for (const [file, expected] of [
      ['without', JSON.parse(inPyTorch)],
      ['with', JSON.parse(own)],
    ]) {
      await program(cwd, 'import', `${file}.safetensors`, '--out', file);
      for (const [i, split] of ['train', 'val', 'test'].entries()) {
        const { loss } = JSON.parse((await program(cwd, 'eval', file, '--split', split, '--json')).stdout);
        expect(Math.abs(loss - expected[i]), `${file} ${split}`).toBeLessThan(1e-6);
        const whole = await program(cwd, 'eval', file, '--data', `lists/${split}.txt`, '--whole', '--json');
        expect(JSON.parse(whole.stdout).loss).toBe(loss);
      }
    }
  });

  it('are refused as a .pt file, with the way to save them', async () => {
    const cwd = tempDirectory();
    await python(
      cwd,
      "p = {k: v.detach() for k, v in parameters(8).items()}\ntorch.save(p, 'w.pt')\ntorch.save(p, 'old.pt', _use_new_zipfile_serialization=False)",
    );
    for (const file of ['w.pt', 'old.pt']) {
      const { exitCode, stderr } = await runCli(cwd, ['import', file]);
      expect(exitCode).toBe(3);
      expect(stderr).toMatch(
        /this is a (PyTorch file|Python pickle) \(.*\); in Python, ninja\.save\('weights\.safetensors', C=C, W1=W1, \.\.\.\)/,
      );
    }
  });

  it('are read from the state_dict of a module, and from numpy.savez of its transposed views', async () => {
    const cwd = tempDirectory();
    await python(
      cwd,
      `
import numpy
p = {k: v.detach() for k, v in parameters(8).items()}
ninja.save('plain.safetensors', p)
class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        for k, v in p.items():
            setattr(self, k, torch.nn.Parameter(v))
class Whole(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.model = Model()
ninja.save('module.safetensors', dict(Whole().state_dict()))
numpy.savez_compressed('views.npz', **{**{k: v.numpy() for k, v in p.items()}, 'W1': p['W1'].T.numpy(), 'W2': p['W2'].T.numpy()})
`,
    );
    const losses = [];
    for (const file of ['plain.safetensors', 'module.safetensors', 'views.npz'])
      losses.push(JSON.parse((await program(cwd, 'import', file, '--json')).stdout).valLoss);
    expect(losses).toEqual([losses[0], losses[0], losses[0]]);
  });
});

describe('a training begun with parameters of PyTorch', () => {
  it.each(['float64', 'float32'])('has the losses and parameters of PyTorch in %s after 10 steps, within 1e-6', async (dtype) => {
    const cwd = tempDirectory();
    await python(cwd, "ninja.save('init.safetensors', parameters(64))");
    await program(cwd, 'train', '--init', 'init.safetensors', '--steps', '10', '--schedule', 'constant', '--out', 'run');
    await program(cwd, 'export', 'run', '--trace', '10', '--to', 'trace.safetensors');
    const [same, losses, weights] = await python(
      cwd,
      `
t = ninja.load('trace.safetensors')
start = parameters(64)
print(all(torch.equal(start[k].detach(), t['initial.' + k]) for k in start))
p = {k: v.detach().to(torch.${dtype}).requires_grad_() for k, v in start.items()}
found = [step(p, X.long(), Y.long()) for X, Y in zip(t['Xb'], t['Yb'])]
print((torch.tensor(found).double() - t['losses'].double()).abs().max().item())
print(max((p[k].double() - t['final.' + k].double()).abs().max().item() for k in p))
`,
    );
    expect(same).toBe('True');
    expect(Number(losses)).toBeLessThan(1e-6);
    expect(Number(weights)).toBeLessThan(1e-6);
  });
});
