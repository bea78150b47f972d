import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { loadFloats, loadIndices, readSafetensors, type StoredTensor, writeSafetensors } from '../../src/run/safetensors.js';
import { ninja } from '../support/child.js';
import { SMALL, writeNames } from '../support/fakeIO.js';
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
for value in [print, None, 'x', [[1], [2, 3]], [1, 'a'], torch.zeros(2, dtype=torch.complex64), numpy.array(['a']), 2 ** 70, torch.empty(2, device='meta'), torch.ones(2, 2).max(1)]:
    try:
        ninja.save('mine.safetensors', dC=value)
    except TypeError as error:
        print(error)
`);
  expect(stdout.split('\n')).toEqual([
    'dC is a function, and cannot be saved: expected a tensor, an array, or numbers',
    'dC is None, and cannot be saved: expected a tensor, an array, or numbers',
    "dC is a str, and cannot be saved: 'x' is no number",
    'dC is a list, and cannot be saved: its rows have different lengths',
    "dC is a list, and cannot be saved: 'a' is no number",
    'dC is a Tensor, and cannot be saved: its entries are complex, expected real numbers',
    'dC is an ndarray, and cannot be saved: its entries are <U1, expected numbers',
    'dC is an int, and cannot be saved: argument out of range',
    'dC is a Tensor, and cannot be saved: Cannot copy out of meta tensor; no data!',
    'dC is a tuple, and cannot be saved: take one of its parts, such as .values',
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

it('reads a checkpoint of the program, and its texts', async () => {
  const cwd = tempDirectory();
  writeNames(cwd);
  expect((await ninja(['train', ...SMALL, '--out', 'run'], { cwd })).exitCode).toBe(0);
  const stdout = await printed(
    `
t = ninja.load('run/checkpoint.safetensors')
print(t['C'].shape[1], t['W1'].dtype, tuple(t['W1'].shape), all(isinstance(text, str) for text in t.metadata.values()), len(t.metadata) > 0)`,
    cwd,
  );
  expect(stdout).toBe('4 torch.float32 (12, 8) True True\n');
});

it('refuses a broken file in one line that names it', async () => {
  const stdout = await printed(`
import struct, json
import torch
ninja.save('good', C=[[1.0, 2.0]], Yb=[1])
good = open('good', 'rb').read()
torch.save({}, 'torch.pt')
def with_header(header):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack('<Q', len(text)) + text + bytes(8)
entry = {'dtype': 'F64', 'shape': [1], 'data_offsets': [0, 8]}
for content in [b'', b'<html>no tensors', good[:40], good[:-1], good + b'x', open('torch.pt', 'rb').read(), with_header([]), with_header(b'{"a": 1, "a": 2}'),
                with_header({'a': 1}), with_header({'a': {**entry, 'dtype': 'F65'}}), with_header({'a': {**entry, 'shape': [2]}}),
                with_header({'a': {**entry, 'shape': [-1]}}), with_header({'a': {**entry, 'data_offsets': [8, 16]}}), with_header({'a': entry, 'b': entry})]:
    with open('bad', 'wb') as file:
        file.write(content)
    try:
        print(ninja.load('bad'))
    except ValueError as error:
        print(error)
`);
  expect(stdout.trimEnd().split('\n')).toEqual([
    'bad: not a safetensors file: it has 0 bytes, expected at least 8',
    expect.stringMatching(/^bad: not a safetensors file, or cut off: its header needs \d+ bytes, the file has 16$/),
    expect.stringMatching(/^bad: not a safetensors file, or cut off: its header needs \d+ bytes, the file has 40$/),
    "bad: cut off: tensor 'Yb' ends at byte 24 of the numbers, the file has 23",
    'bad: its header describes 24 bytes of numbers, it has 25',
    'bad: not a safetensors file: this is a zip archive, such as torch.save and numpy.savez write',
    'bad: not a safetensors file: its header is not an object',
    "bad: its header has 'a' twice",
    "bad: tensor 'a' has no known dtype, shape and place in the header",
    "bad: tensor 'a' has no known dtype, shape and place in the header",
    "bad: tensor 'a': [2] of F64 does not fit its place, 0 to 8",
    "bad: tensor 'a': [-1] of F64 does not fit its place, 0 to 8",
    "bad: cut off: tensor 'a' ends at byte 16 of the numbers, the file has 8",
    'bad: its header describes 16 bytes of numbers, it has 8',
  ]);
});

it('loads every data type of the format', async () => {
  const tensors = new Map<string, StoredTensor>(
    (['F64', 'F32', 'F16', 'BF16', 'I64', 'I32', 'I16', 'I8', 'U64', 'U32', 'U16', 'U8', 'BOOL'] as const).map((dtype) => {
      const size = dtype === 'BOOL' ? 1 : Number(/\d+$/.exec(dtype)?.[0]) / 8;
      // The number 1 in each.
      const one = { F64: [0, 0, 0, 0, 0, 0, 0xf0, 0x3f], F32: [0, 0, 0x80, 0x3f], F16: [0, 0x3c], BF16: [0x80, 0x3f] }[dtype as string];
      return [dtype, { dtype, shape: [1], bytes: Uint8Array.from(one ?? [1, ...new Array(size - 1).fill(0)]) }];
    }),
  );
  const cwd = tempDirectory();
  put(cwd, 'ones.safetensors', writeSafetensors({ metadata: {}, tensors }));
  const stdout = await printed(
    `
for like in ['torch', 'numpy', 'list']:
    print([name for name, value in ninja.load('ones.safetensors', like).items() if value[0] != 1])`,
    cwd,
  );
  expect(stdout).toBe('[]\n[]\n[]\n');
});
