import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ninja } from '../support/child.js';
import { runPython } from '../support/python.js';
import { tempDirectory } from '../support/tempDirectory.js';

/** A solution of each line, as a learner writes it in a notebook. */
const SOLUTIONS: Record<string, string> = {
  dlogprobs: '-F.one_hot(Yb, vocab_size) / n',
  dprobs: 'dlogprobs / probs',
  dcounts_sum_inv: '(counts * dprobs).sum(1, keepdim=True)',
  dcounts_sum: '-(counts_sum**-2) * dcounts_sum_inv',
  dcounts: 'counts_sum_inv * dprobs + dcounts_sum',
  dnorm_logits: 'counts * dcounts',
  dlogit_maxes: '-dnorm_logits.sum(1, keepdim=True)',
  dlogits: 'dnorm_logits + F.one_hot(logits.max(1).indices, vocab_size) * dlogit_maxes',
  dh: 'dlogits @ W2.T',
  dW2: 'h.T @ dlogits',
  db2: 'dlogits.sum(0)',
  dhpreact: '(1 - h**2) * dh',
  dbngain: '(bnraw * dhpreact).sum(0, keepdim=True)',
  dbnraw: 'bngain * dhpreact',
  dbnbias: 'dhpreact.sum(0, keepdim=True)',
  dbnvar_inv: '(bndiff * dbnraw).sum(0, keepdim=True)',
  dbnvar: '-0.5 * (bnvar + 1e-5) ** -1.5 * dbnvar_inv',
  dbndiff2: 'torch.ones_like(bndiff2) / (n - 1) * dbnvar',
  dbndiff: 'bnvar_inv * dbnraw + 2 * bndiff * dbndiff2',
  dbnmeani: '-dbndiff.sum(0, keepdim=True)',
  dhprebn: 'dbndiff + dbnmeani / n',
  dembcat: 'dhprebn @ W1.T',
  dW1: 'embcat.T @ dhprebn',
  db1: 'dhprebn.sum(0)',
  demb: 'dembcat.view(emb.shape)',
  dC: 'torch.zeros_like(C).index_add_(0, Xb.view(-1), demb.view(-1, C.shape[1]))',
};
const LINES: Record<string, string> = {
  dlogit_maxes: '-at.dnorm_logits.sum(1, keepdim=True)',
  dlogits: 'at.dnorm_logits + F.one_hot(at.logits.max(1).indices, at.V) * at.dlogit_maxes',
  db1: 'at.dhprebn.sum(0)',
};
const CROSS_ENTROPY = '(torch.softmax(logits, 1) - F.one_hot(Yb, vocab_size)) / n';
const BATCH_NORM = 'bngain * bnvar_inv / n * (n * dhpreact - dhpreact.sum(0) - n / (n - 1) * bnraw * (dhpreact * bnraw).sum(0))';
/** The same as a line: with `at.` before each value. */
const asLine = (text: string) =>
  text
    .replaceAll('vocab_size', 'V')
    .replace(/(?<![.\w])(?!F\b|torch\b|V\b)[A-Za-z]\w*/g, 'at.$&')
    .replace('V)', 'at.V)');

/** Writes the solutions in the place of the stubs. */
function solved(script: string): string {
  return script
    .replace(/^( *)(d\w+) = None/gm, (_, indent: string, name: string) => {
      const closed = { dlogits: CROSS_ENTROPY, dhprebn: BATCH_NORM }[name];
      return `${indent}${name} = ${(indent !== '' && closed) || SOLUTIONS[name]}`;
    })
    .replace('dlogits=lambda at: ..., exercise=2', `dlogits=lambda at: ${asLine(CROSS_ENTROPY)}, exercise=2`)
    .replace('dhprebn=lambda at: ..., exercise=3', `dhprebn=lambda at: ${asLine(BATCH_NORM)}, exercise=3`)
    .replace(/(d\w+)=lambda at: \.\.\./g, (_, name: string) => `${name}=lambda at: ${LINES[name]}`)
    .replace('steps = 5000', 'steps = 400');
}

/** A fresh folder, and its script. */
async function fresh() {
  const cwd = tempDirectory();
  expect((await ninja(['exercise', 'start', '--python', '.'], { cwd })).exitCode).toBe(0);
  return { cwd, script: readFileSync(join(cwd, 'backprop_ninja.py'), 'utf8') };
}

describe('backprop_ninja.py', () => {
  it('runs from top to bottom before a line is written', async () => {
    const { cwd, script } = await fresh();
    const { stdout, stderr, exitCode } = await runPython(cwd, script);
    expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 });
    expect(stdout).toContain('32178 names, 27 characters');
    expect(stdout).toMatch(/\nloss 3\.\d{4}\n/);
    expect(stdout.match(/note: there is no gradient yet: only the forward pass was judged\n/g)).toHaveLength(5);
    expect(stdout.match(/not written yet/g)).toHaveLength(5);
    expect(stdout).toContain('Write the gradients of the parameters first.');
  });

  it('is all right with the solutions, and trains with them', async () => {
    const { cwd, script } = await fresh();
    const text = solved(script);
    expect(text).not.toMatch(/= None|\.\.\.,/);
    const { stdout, stderr, exitCode } = await runPython(cwd, text);
    expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 });
    expect(stdout).not.toMatch(/✗|wrong|not written/);
    for (const compared of ['8 of 26', '12 of 26', '21 of 26', '26 of 26', '13 of 26']) expect(stdout).toContain(compared);
    const [, training] = /training (\d\.\d+) {2}validation \d\.\d+/.exec(stdout) ?? [];
    expect(Number(training)).toBeLessThan(2.8);
  });

  it('names the mistake in a stub that is filled in wrongly', async () => {
    const { cwd, script } = await fresh();
    const wrong = solved(script)
      .replace(/^dhpreact = .*/m, 'dhpreact = (1 - h) * dh')
      .replace('dbnraw = bngain * dhpreact', 'dbnraw = dhpreact');
    const { stdout } = await runPython(cwd, wrong);
    expect(stdout).toMatch(/dhpreact/);
    expect(stdout).toMatch(/dbnraw/);
  });
});

it('the notebook has the same code', async () => {
  const { cwd, script } = await fresh();
  const { cells } = JSON.parse(readFileSync(join(cwd, 'backprop_ninja.ipynb'), 'utf8')) as {
    cells: { cell_type: string; source: string[] }[];
  };
  const code = cells.filter(({ cell_type }) => cell_type === 'code').map(({ source }) => source.join(''));
  const bare = (text: string) => text.replace(/^#.*\n/gm, '').replace(/\n+/g, '\n');
  expect(bare(code.join('\n'))).toBe(bare(script).trim());
});
