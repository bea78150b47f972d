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

/** SHA-256 of a short run's checkpoint and metrics on another Node, of its eval, and of its samples. */
async function trainOn(node: string): Promise<Record<string, string>> {
  const run = join(directory, node);
  const program = (...args: string[]) =>
    execute('npx', ['-y', '-p', `node@${node}`, 'node', 'dist/cli/main.js', ...args], { maxBuffer: 2 ** 24 });
  await program('train', '--steps', '3000', '--out', run);
  const sha256 = (data: string | Buffer) => createHash('sha256').update(data).digest('hex');
  return {
    checkpoint: sha256(readFileSync(join(run, 'checkpoint.safetensors'))),
    metrics: sha256(readFileSync(join(run, 'metrics.jsonl'))),
    loss: (await program('eval', run)).stdout,
    samples: sha256((await program('sample', run, '--count', '200')).stdout),
  };
}

describe('the same command on Node 20, 22 and 24', () => {
  const expected = trainOn('20');
  it.each(['22', '24'])('gives the same checkpoint, metrics, loss and samples on Node %s as on 20', async (node) => {
    expect(await trainOn(node)).toEqual(await expected);
  });
});
