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

/** SHA-256 of a short run's checkpoints and metrics on another Node, of its eval, and of its samples. */
async function trainOn(node: string, hidden: string): Promise<Record<string, string>> {
  const run = join(directory, `${node} ${hidden}`);
  await programOn(node, 'train', '--hidden', hidden, '--steps', '3000', '--eval-every', '700', '--out', run);
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

describe.each(['200', '60,40,20'])('the same command on Node 20, 22 and 24, H %s', (hidden) => {
  const expected = trainOn('20', hidden);
  it.each(['22', '24'])('gives the same checkpoints, metrics, loss and samples on Node %s as on 20', async (node) => {
    expect(await trainOn(node, hidden)).toEqual(await expected);
  });

  it.each(['22', '24'])('replay on Node %s finds the run of Node 20 again, bit for bit', async (node) => {
    await expected;
    const { stdout } = await programOn(node, 'replay', join(directory, `20 ${hidden}`), '--json');
    expect(JSON.parse(stdout)).toMatchObject({ ok: true, steps: 3000, compared: 4 });
  });
});
