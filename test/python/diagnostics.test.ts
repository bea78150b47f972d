import { expect, it } from 'vitest';
import { runCli, writeNames } from '../support/fakeIO.js';
import { runPython } from '../support/python.js';
import { tempDirectory } from '../support/tempDirectory.js';

const STEPS = 10;

/** Repeats the steps of a trace with autograd, and prints the largest relative difference to each number of the diagnoses. */
const SCRIPT = `
import json, ninja, torch
import torch.nn.functional as F
t = ninja.load('trace.safetensors', like='torch')
names = [key[len('initial.'):] for key in t if key.startswith('initial.')]
p = {name: t['initial.' + name].clone().requires_grad_() for name in names}
opt, clip = json.loads(t.metadata['optimizer']), json.loads(t.metadata['clip'])
optimizer = torch.optim.SGD(p.values(), lr=1, momentum=opt.get('momentum', 0))
records = [json.loads(line) for line in open('run/metrics.jsonl')]
diagnoses = {r['step']: r['diagnostics'] for r in records if 'diagnostics' in r}
largest = {}

def compare(what, found, expected, scale=None):
    expected = float(expected)
    difference = abs(found - expected) / max(abs(expected) if scale is None else float(scale), 1e-7)
    largest[what] = max(largest.get(what, 0), difference)

def compare_spread(what, spread, x, end=None):
    compare(what + ' mean', spread['mean'], x.mean(), x.abs().max())
    compare(what + ' std', spread['std'], x.std())
    histogram = spread['histogram']
    compare(what + ' end', histogram['to'], x.abs().max() if end is None else end)
    counts = torch.histc(x.double().clamp(histogram['from'], histogram['to']), 30, histogram['from'], histogram['to'])
    # A value at the border of two intervals may be in the other one.
    compare(what + ' counts', max(0, (torch.tensor(histogram['counts']) - counts).abs().sum().item() / 2 - 1) / x.numel(), 0, 1)

for step, (Xb, Yb, rate) in enumerate(zip(t['Xb'], t['Yb'], t['rates']), 1):
    h, seen = p['C'][Xb].view(len(Xb), -1), []
    prefix = lambda k, name: (name + '1' if name in 'Wb' else name) if k == 1 else f'blocks.{k}.{name}'
    k = 1
    while prefix(k, 'W') in p:
        hpreact = h @ p[prefix(k, 'W')] + p[prefix(k, 'b')]
        if prefix(k, 'bngain') in p:
            mean, var = hpreact.mean(0, keepdim=True), hpreact.var(0, keepdim=True, unbiased=True)
            hpreact = p[prefix(k, 'bngain')] * (hpreact - mean) / torch.sqrt(var + 1e-5) + p[prefix(k, 'bnbias')]
        h = torch.tanh(hpreact)
        h.retain_grad()
        seen.append((hpreact, h))
        k += 1
    loss = F.cross_entropy(h @ p['W2'] + p['b2'], Yb)
    optimizer.zero_grad()
    loss.backward()
    d = diagnoses[step]
    compare('loss', d['loss'], loss)
    compare('norm', d['gradientNorm'], torch.cat([x.grad.flatten() for x in p.values()]).norm())
    for block, (hpreact, h) in zip(d['blocks'], seen):
        compare('saturated', block['saturated'], (h.abs() > 0.97).float().mean())
        assert block['dead'] == (h.abs() > 0.97).all(0).sum().item() and block['units'] == h.shape[1]
        compare_spread('hpreact', block['hpreact'], hpreact.detach())
        compare_spread('h', block['h'], h.detach(), 1)
        compare_spread('dh', block['dh'], h.grad)
    before = {name: tensor.detach().clone() for name, tensor in p.items()}
    # The gradient of a bias before batch norm is nothing but rounding.
    noise = {name for name in names if name.endswith('b1') or name.endswith('.b')} if 'bngain' in p else set()
    for name, tensor in p.items():
        compare_spread('value', d['parameters'][name]['value'], before[name])
        if name not in noise:
            compare_spread('gradient', d['parameters'][name]['gradient'], tensor.grad)
            compare('gradient:data', d['parameters'][name]['gradientToData'], tensor.grad.std() / before[name].std())
    norm = torch.nn.utils.clip_grad_norm_(p.values(), clip)
    assert d['clipped'] == (norm.item() > clip)
    optimizer.param_groups[0]['lr'] = rate.item()
    optimizer.step()
    for name in set(names) - noise:
        update = p[name].detach().double() - before[name].double()
        compare('update:data', d['parameters'][name]['updateToData'], update.std() / before[name].std())
print(json.dumps(largest))
`;

it.each([
  ['two blocks of batch norm', ['--hidden', '20,15']],
  ['blocks without batch norm', ['--hidden', '20,15', '--norm', 'none']],
])('PyTorch, with autograd, .std() and histc, finds the diagnoses of %s, with momentum and clipping', async (_, options) => {
  const cwd = tempDirectory();
  writeNames(cwd);
  const cli = async (...argv: string[]) => expect((await runCli(cwd, argv)).exitCode).toBe(0);
  const recipe = ['--optimizer', 'momentum', '--clip', '0.6', '--diagnose-every', '1', '--steps', `${STEPS}`];
  await cli('train', '--data', 'names.txt', '--out', 'run', ...recipe, ...options);
  await cli('export', 'run', '--trace', `${STEPS}`, '--to', 'trace.safetensors');
  const { stdout, stderr, exitCode } = await runPython(cwd, SCRIPT);
  expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 });
  const largest = JSON.parse(stdout) as Record<string, number>;
  expect(Object.keys(largest)).toHaveLength(25);
  for (const [what, difference] of Object.entries(largest)) {
    expect(difference, what).toBeLessThan(what.endsWith('counts') ? 0.02 : 2e-4);
  }
});
