import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';

const execute = promisify(execFile);
const directory = mkdtempSync(join(tmpdir(), 'backprop-ninja-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** Runs the program on another Node. */
function programOn(node: string, ...args: string[]) {
  return execute('npx', ['-y', '-p', `node@${node}`, 'node', 'dist/cli/main.js', ...args], { maxBuffer: 2 ** 24, timeout: 300_000 });
}

/** The results of a short run on another Node: its loss, and the SHA-256 of checkpoints, metrics and samples. */
async function trainOn(node: string, name: string, recipe: string): Promise<Record<string, string>> {
  const run = join(directory, name + node);
  await programOn(node, 'train', '--steps', '3000', '--eval-every', '700', '--out', run, ...recipe.split(' '));
  const sha256 = (data: string | Buffer) => createHash('sha256').update(data).digest('hex');
  const ofFile = (name: string) => sha256(readFileSync(join(run, name)));
  return {
    checkpoint: ofFile('checkpoint.safetensors'),
    best: ofFile('best.safetensors'),
    metrics: ofFile('metrics.jsonl'),
    loss: (await programOn(node, 'eval', run)).stdout,
    samples: sha256((await programOn(node, 'sample', run, '--count', '200')).stdout),
  };
}

describe.each([
  ['lesson', '--hidden 200'],
  ['deep', '--hidden 60,40,20'],
  // An epoch has 184 steps.
  ['adamw', '--optimizer adamw --lr 0.004 --schedule cosine --warmup 300 --clip 0.5 --sampling epochs --batch-size 1000 --hidden 32'],
])('the same command on Node 20, 22 and 24, %s', (name, recipe) => {
  const expected = trainOn('20', name, recipe);
  it.each(['22', '24'])('gives the same checkpoints, metrics, loss and samples on Node %s as on 20', async (node) => {
    expect(await trainOn(node, name, recipe)).toEqual(await expected);
  });

  it.each(['22', '24'])('lets replay on Node %s reproduce the run of Node 20, bit for bit', async (node) => {
    await expected;
    const { stdout } = await programOn(node, 'replay', join(directory, `${name}20`), '--json');
    expect(JSON.parse(stdout)).toMatchObject({ ok: true, steps: 3000, compared: 4 });
  });
});
