import { beforeAll, describe, expect, it } from 'vitest';
import { runCli, writeNames } from '../support/fakeIO.js';
import { runPython } from '../support/python.js';
import { makeDirectory, removeDirectory } from '../support/tempDirectory.js';

/** The steps that are repeated. */
const STEPS = 10;

/** The lesson's network, deep networks, and an optimizer with everything that a step may do. */
const RUNS: Record<string, string[]> = {
  lesson: [],
  deep: ['--hidden', '20,15,10', '--context', '5', '--embedding', '4'],
  plain: ['--norm', 'none', '--hidden', '20,15'],
  momentum: ['--optimizer', 'momentum', '--clip', '0.5', '--warmup', '4'],
  init: ['--init', 'torch.safetensors'],
  adamw: ['--optimizer', 'adamw', '--weight-decay', '0.3', '--schedule', 'cosine', '--sampling', 'epochs'],
};

/** Parameters as the lesson draws them, for 4 numbers per character, 24 units and the characters of the names. */
const FIRST_WEIGHTS = `
import ninja, torch
T, E, H = 3, 4, 24
V = 1 + len(set(open('names.txt').read()) - {'\\n'})
g = torch.Generator().manual_seed(2147483647)
draw = lambda *shape: torch.randn(shape, generator=g)
ninja.save('torch.safetensors', C=draw(V, E), W1=draw(T * E, H) * (5 / 3) / (T * E) ** 0.5, b1=draw(H) * 0.1,
           W2=draw(H, V) * 0.1, b2=draw(V) * 0.1, bngain=draw(1, H) * 0.1 + 1.0, bnbias=draw(1, H) * 0.1)
`;

let cwd: string;

beforeAll(async () => {
  cwd = makeDirectory();
  writeNames(cwd);
  await runPython(cwd, FIRST_WEIGHTS);
  for (const [run, options] of Object.entries(RUNS)) {
    await cli('train', '--data', 'names.txt', '--steps', '60', ...options, '--out', run);
    for (const extension of ['npz', 'safetensors', 'json']) await cli('export', run, '--to', `${run}.${extension}`);
    await cli('export', run, '--split', `${run}-lists`);
    await cli('export', run, '--trace', `${STEPS}`, '--to', `${run}-trace.safetensors`);
  }
  return () => removeDirectory(cwd);
});

async function cli(...argv: string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await runCli(cwd, argv);
  if (exitCode !== 0) throw new Error(`${argv.join(' ')} ended with ${exitCode}: ${stderr}`);
  return stdout;
}

/** The last line that a script prints, as JSON. */
async function answerOf(script: string, ...args: string[]): Promise<unknown> {
  const { stdout, stderr, exitCode } = await runPython(cwd, script, { args });
  expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 });
  return JSON.parse(stdout.trim().split('\n').at(-1) as string);
}

it('a run from --init begins with the parameters that PyTorch saved, to the last bit', async () => {
  const same = await answerOf(`
import ninja, torch
mine, trace = ninja.load('torch.safetensors', like='torch'), ninja.load('init-trace.safetensors', like='torch')
print(str(all(torch.equal(tensor, trace['initial.' + name]) for name, tensor in mine.items())).lower())
`);
  expect(same).toBe(true);
});

/** The network as a function, by the arrays alone: the forward pass of evaluation. */
const FORWARD = `
import json, sys, ninja, numpy, torch
import torch.nn.functional as F

def block_names(K):
    return ['W1', 'b1', 'bngain', 'bnbias', 'bnmean', 'bnvar'] if K == 1 else [f'blocks.{K}.{t}' for t in ['W', 'b', 'bngain', 'bnbias', 'bnmean', 'bnvar']]

def blocks(p):
    K = 1
    while block_names(K)[0] in p:
        yield block_names(K)
        K += 1

def logits(p, Xb):
    h = p['C'][Xb].view(len(Xb), -1)
    for W, b, gain, bias, mean, var in blocks(p):
        hprebn = h @ p[W] + p[b]
        h = torch.tanh(hprebn if gain not in p else p[gain] * (hprebn - p[mean]) / torch.sqrt(p[var] + 1e-5) + p[bias])
    return h @ p['W2'] + p['b2']

def examples(path, vocabulary, T):
    index = {c: i for i, c in enumerate(vocabulary)}
    X, Y = [], []
    for name in open(path, encoding='utf-8').read().splitlines():
        context = [0] * T
        for c in name + '.':
            X.append(context)
            Y.append(index[c])
            context = context[1:] + [index[c]]
    return torch.tensor(X), torch.tensor(Y)
`;

describe.each(Object.keys(RUNS))('PyTorch, with what is exported of the run %s,', (run) => {
  it('computes the validation loss of eval from .npz, .safetensors and .json', async () => {
    const losses = await answerOf(
      `${FORWARD}
run = sys.argv[1]
facts = json.load(open(f'{run}.json', encoding='utf-8'))
X, Y = examples(f'{run}-lists/val.txt', facts['vocabulary'], facts['context'])
files = [numpy.load(f'{run}.npz'), ninja.load(f'{run}.safetensors'), {**facts['parameters'], **facts['statistics']}]
losses = []
for file in files:
    p = {name: torch.as_tensor(values) for name, values in file.items()}
    assert all(tensor.dtype == torch.float32 for tensor in p.values())
    p = {name: tensor.double() for name, tensor in p.items()}
    losses.append(F.cross_entropy(logits(p, X), Y).item())
print(losses)
`,
      run,
    );
    const own = JSON.parse(await cli('eval', run, '--json')).loss;
    expect(losses).toHaveLength(3);
    for (const loss of losses as number[]) expect(Math.abs(loss - own)).toBeLessThan(1e-6);
  });

  it(`repeats ${STEPS} steps from the trace: losses and parameters agree within 1e-6, with AdamW within a hundredth of the rate`, async () => {
    const found = (await answerOf(
      `${FORWARD}
t = ninja.load(sys.argv[1] + '-trace.safetensors', like='torch')
meta = t.metadata
names = [key[len('initial.'):] for key in t if key.startswith('initial.')]
p = {name: t['initial.' + name].clone().requires_grad_() for name in names}
opt, clip, decay = json.loads(meta['optimizer']), json.loads(meta['clip']), json.loads(meta['weightDecay'])
if opt['name'] == 'adamw':
    groups = [{'params': [p[name]], 'weight_decay': decay[name]} for name in names]
    optimizer = torch.optim.AdamW(groups, betas=(opt['beta1'], opt['beta2']), eps=opt['epsilon'])
else:
    optimizer = torch.optim.SGD(p.values(), lr=1, momentum=opt.get('momentum', 0))

def loss_of(Xb, Yb):
    h = p['C'][Xb].view(len(Xb), -1)
    for W, b, gain, bias, _, _ in blocks(p):
        hprebn = h @ p[W] + p[b]
        mean, var = hprebn.mean(0, keepdim=True), hprebn.var(0, keepdim=True, unbiased=True)
        h = torch.tanh(hprebn if gain not in p else p[gain] * (hprebn - mean) / torch.sqrt(var + 1e-5) + p[bias])
    return F.cross_entropy(h @ p['W2'] + p['b2'], Yb)

losses = []
for Xb, Yb, rate in zip(t['Xb'], t['Yb'], t['rates']):
    loss = loss_of(Xb, Yb)
    optimizer.zero_grad()
    loss.backward()
    if clip is not None:
        torch.nn.utils.clip_grad_norm_(p.values(), clip)
    for group in optimizer.param_groups:
        group['lr'] = rate.item()
    optimizer.step()
    losses.append(loss.item())

largest = lambda a, b: (a.double() - b.double()).abs().max().item()
print(json.dumps({
    'losses': largest(torch.tensor(losses), t['losses']),
    'moved': largest(t['initial.W1'], t['final.W1']),
    **{name: largest(p[name].detach(), t['final.' + name]) for name in names},
}))
`,
      run,
    )) as Record<string, number>;
    const { moved, ...differences } = found;
    expect(moved).toBeGreaterThan(1e-3);
    // Adam divides by the size of each entry's gradient, and so scales its rounding up to the rate of 0.001. The gradient of a bias before
    // batch norm is nothing but rounding.
    const { b1: _, ...others } = differences;
    for (const [name, difference] of Object.entries(run === 'adamw' ? others : differences)) {
      expect(difference, name).toBeLessThan(run === 'adamw' && name !== 'losses' ? 1e-5 : 1e-6);
    }
  });
});
