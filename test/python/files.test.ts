import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { loadFloats, loadIndices, readSafetensors, type StoredTensor } from '../../src/run/safetensors.js';
import { runPython } from '../support/python.js';
import { put, snapshot, tempDirectory } from '../support/tempDirectory.js';

/** Runs a script that saves to mine.safetensors, and reads the file as the program does. */
async function saved(script: string) {
  const directory = tempDirectory();
  const { stderr, exitCode } = await runPython(directory, `import ninja, numpy, torch\n${script}`);
  expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 });
  const { tensors } = readSafetensors(readFileSync(join(directory, 'mine.safetensors')));
  const floats = (name: string) => [...loadFloats(name, tensors.get(name) as StoredTensor)];
  const heads = Object.fromEntries([...tensors].map(([name, { dtype, shape }]) => [name, `${dtype} [${shape}]`]));
  return { heads, floats, tensors };
}

/** What a script prints. */
async function printed(script: string, directory = tempDirectory()): Promise<string> {
  const { stdout, stderr, exitCode } = await runPython(directory, `import ninja, sys\n${script}`);
  expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 });
  return stdout;
}

it('saves tensors of PyTorch whatever their memory looks like', async () => {
  const { heads, floats } = await saved(`
W = torch.arange(6.).view(2, 3).requires_grad_()
ninja.save('mine.safetensors', W=W, transposed=W.T, column=W[:, 1:2], expanded=W[0].expand(2, 3), parameter=torch.nn.Parameter(W),
           graph=W * 2, zero_d=W.sum(), empty=W[:0], sparse=W.detach().to_sparse(), wide=W.double())
`);
  expect(heads).toEqual({
    W: 'F32 [2,3]',
    transposed: 'F32 [3,2]',
    column: 'F32 [2,1]',
    expanded: 'F32 [2,3]',
    parameter: 'F32 [2,3]',
    graph: 'F32 [2,3]',
    zero_d: 'F32 []',
    empty: 'F32 [0,3]',
    sparse: 'F32 [2,3]',
    wide: 'F64 [2,3]',
  });
  expect(floats('transposed')).toEqual([0, 3, 1, 4, 2, 5]);
  expect(floats('column')).toEqual([1, 4]);
  expect(floats('expanded')).toEqual([0, 1, 2, 0, 1, 2]);
  expect(floats('graph')).toEqual([0, 2, 4, 6, 8, 10]);
  expect(floats('zero_d')).toEqual([15]);
  expect(floats('sparse')).toEqual([0, 1, 2, 3, 4, 5]);
});

it('saves arrays of NumPy, lists and numbers', async () => {
  const { heads, floats, tensors } = await saved(`
a = numpy.arange(6.).reshape(2, 3)
ninja.save('mine.safetensors', {'initial.C': a}, fortran=numpy.asfortranarray(a), big=a.astype('>f4'), scalar=numpy.float32(2), rows=[[1, 2.5], [3, 4]],
           loss=0.5, losses=[torch.tensor(1.), torch.tensor(2.)], Yb=[2, 0, 1], ix=numpy.array([1], dtype='u1'), yes=[True])
`);
  expect(heads).toEqual({
    'initial.C': 'F64 [2,3]',
    fortran: 'F64 [2,3]',
    big: 'F32 [2,3]',
    scalar: 'F32 []',
    rows: 'F64 [2,2]',
    loss: 'F64 []',
    losses: 'F64 [2]',
    Yb: 'I64 [3]',
    ix: 'I64 [1]',
    yes: 'BOOL [1]',
  });
  expect(floats('fortran')).toEqual([0, 1, 2, 3, 4, 5]);
  expect(floats('big')).toEqual([0, 1, 2, 3, 4, 5]);
  expect(floats('rows')).toEqual([1, 2.5, 3, 4]);
  expect([...loadIndices('Yb', tensors.get('Yb') as StoredTensor, 3)]).toEqual([2, 0, 1]);
});

it('widens short floats, and whole numbers to int64', async () => {
  const { heads, floats } = await saved(`
x = torch.tensor([0.5, -2.0])
ninja.save('mine.safetensors', half=x.half(), brain=x.bfloat16(), short=x.short(), np=numpy.float16([0.5]))
`);
  expect(heads).toEqual({ half: 'F32 [2]', brain: 'F32 [2]', short: 'I64 [2]', np: 'F32 [1]' });
  expect(floats('brain')).toEqual([0.5, -2]);
});

it('refuses what is no tensor, and names it', async () => {
  const stdout = await printed(`
import numpy, torch
for value in [print, None, 'x', [[1], [2, 3]], [1, 'a'], torch.zeros(2, dtype=torch.complex64), numpy.array(['a']), 2 ** 70, torch.empty(2, device='meta')]:
    try:
        ninja.save('mine.safetensors', dC=value)
    except TypeError as error:
        print(error)
`);
  expect(stdout.split('\n')).toEqual([
    'dC is a builtin_function_or_method, and cannot be saved: expected a tensor, an array, or numbers',
    'dC is a NoneType, and cannot be saved: expected a tensor, an array, or numbers',
    "dC is a str, and cannot be saved: 'x' is no number",
    'dC is a list, and cannot be saved: its rows have different lengths',
    "dC is a list, and cannot be saved: 'a' is no number",
    'dC is a Tensor, and cannot be saved: its entries are complex, expected real numbers',
    'dC is a ndarray, and cannot be saved: its entries are <U1, expected numbers',
    'dC is an int, and cannot be saved: argument out of range',
    'dC is a Tensor, and cannot be saved: Cannot copy out of meta tensor; no data!',
    '',
  ]);
});

it('leaves the old file as it is, and no other, when a tensor cannot be saved', async () => {
  const directory = tempDirectory();
  put(directory, 'mine.safetensors', 'old');
  await printed(
    `
try:
    ninja.save('mine.safetensors', C=[1.0], dC='x')
except TypeError:
    pass
`,
    directory,
  );
  const { 'script.py': _, ...files } = snapshot(directory);
  expect(files).toEqual({ 'mine.safetensors': 'old' });
});

it("takes the lesson's names from all variables", async () => {
  const { heads } = await saved(`
C = torch.zeros(2, 1)
ix = Xtr = torch.tensor([1])
dC, dprobs = C, None
def loss_of(x): return x
ninja.save('mine.safetensors', locals())
`);
  expect(heads).toEqual({ C: 'F32 [2,1]', dC: 'F32 [2,1]' });
});

it('loads what it saved, as tensors, arrays and lists', async () => {
  const stdout = await printed(`
import torch
ninja.save('mine.safetensors', C=torch.tensor([[0.5, 1], [2, 3]]), Yb=torch.tensor([1, 2]), loss=torch.tensor(2.).double(), none=torch.zeros(0, 2))
for like in [None, 'numpy', 'list']:
    print({name: value if like == 'list' else (type(value).__name__, value.dtype, value.tolist()) for name, value in ninja.load('mine.safetensors', like).items()})
`);
  expect(stdout.split('\n')).toEqual([
    "{'C': ('Tensor', torch.float32, [[0.5, 1.0], [2.0, 3.0]]), 'Yb': ('Tensor', torch.int64, [1, 2]), 'loss': ('Tensor', torch.float64, 2.0), 'none': ('Tensor', torch.float32, [])}",
    "{'C': ('ndarray', dtype('float32'), [[0.5, 1.0], [2.0, 3.0]]), 'Yb': ('ndarray', dtype('int64'), [1, 2]), 'loss': ('ndarray', dtype('float64'), 2.0), 'none': ('ndarray', dtype('float32'), [])}",
    "{'C': [[0.5, 1.0], [2.0, 3.0]], 'Yb': [1, 2], 'loss': 2.0, 'none': []}",
    '',
  ]);
});
