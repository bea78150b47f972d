import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { FileContentError } from '../../src/core/errors.js';
import { readNpz, writeNpz } from '../../src/run/npz.js';
import { loadFloats, type StoredTensor } from '../../src/run/safetensors.js';
import { runPython } from '../support/python.js';
import { put, tempDirectory } from '../support/tempDirectory.js';
import { thrownBy } from '../support/thrown.js';

/** Runs a script that writes files, and returns their directory. */
async function afterScript(script: string, directory = tempDirectory()): Promise<string> {
  const { stderr, exitCode } = await runPython(directory, `import io, numpy, torch\n${script}`);
  expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 });
  return directory;
}

it('the arrays of NumPy are read as they are: in Fortran order, transposed, big-endian, 0-dimensional, compressed', async () => {
  const directory = await afterScript(`
a = numpy.arange(6, dtype='f4').reshape(2, 3)
arrays = dict(a=a, fortran=numpy.asfortranarray(a), transposed=a.T, big=a.astype('>f8'), half=a.astype('f2'), scalar=numpy.float64(2.5),
              cube=numpy.asfortranarray(numpy.arange(24.).reshape(2, 3, 4)), none=a[:0], Xb=numpy.array([[1, 2]]), flags=a > 2,
              tensor=torch.ones(2, 1).numpy())
numpy.savez('plain.npz', **arrays)
numpy.savez_compressed('packed.npz', **arrays)
`);
  for (const file of ['plain.npz', 'packed.npz']) {
    const tensors = readNpz(readFileSync(join(directory, file)));
    expect(Object.fromEntries([...tensors].map(([name, { dtype, shape }]) => [name, `${dtype} [${shape}]`]))).toEqual({
      a: 'F32 [2,3]',
      fortran: 'F32 [2,3]',
      transposed: 'F32 [3,2]',
      big: 'F64 [2,3]',
      half: 'F16 [2,3]',
      scalar: 'F64 []',
      cube: 'F64 [2,3,4]',
      none: 'F32 [0,3]',
      Xb: 'I64 [1,2]',
      flags: 'BOOL [2,3]',
      tensor: 'F32 [2,1]',
    });
    const floats = (name: string) => [...loadFloats(name, tensors.get(name) as StoredTensor)];
    for (const name of ['a', 'fortran', 'big']) expect(floats(name), name).toEqual([0, 1, 2, 3, 4, 5]);
    expect(floats('transposed')).toEqual([0, 3, 1, 4, 2, 5]);
    expect(floats('cube')).toEqual(Array.from({ length: 24 }, (_, i) => i));
    expect(floats('scalar')).toEqual([2.5]);
  }
});

it('a file that is read and written again holds the same arrays for NumPy', async () => {
  const directory = await afterScript(`
a = numpy.arange(6, dtype='f4').reshape(2, 3)
numpy.savez('first.npz', **{'a': a, 'blocks.2.W': a.T.astype('>f8'), 'scalar': numpy.float64(2.5), 'none': a[:0], 'Xb': numpy.array([1]), 'flags': a > 2})
`);
  put(directory, 'again.npz', Buffer.from(writeNpz(readNpz(readFileSync(join(directory, 'first.npz'))))));
  await afterScript(
    `
first, again = numpy.load('first.npz'), numpy.load('again.npz')
assert list(first) == list(again)
for name in first:
    assert first[name].shape == again[name].shape and (first[name] == again[name]).all(), name
`,
    directory,
  );
});

it('files of PyTorch, single arrays and objects are refused with what they are', async () => {
  const directory = await afterScript(`
torch.save({'C': torch.ones(2)}, 'torch.npz')
numpy.save(open('single.npz', 'wb'), numpy.ones(2))
numpy.savez('objects.npz', C=numpy.array([{}], dtype=object))
numpy.savez('text.npz', vocabulary=numpy.array(['a', 'b']))
`);
  const refusal = (file: string) => thrownBy(FileContentError, () => readNpz(readFileSync(join(directory, file))));
  expect(refusal('torch.npz')).toContain('this is a PyTorch file (.pt)');
  expect(refusal('single.npz')).toContain('this is a NumPy array (.npy); write it with numpy.savez');
  expect(refusal('objects.npz')).toContain("C.npy: the type is '|O' (Python objects)");
  expect(refusal('text.npz')).toContain("vocabulary.npy: the type is '<U1' (text)");
});
