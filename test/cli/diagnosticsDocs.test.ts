import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { runCli } from '../support/fakeIO.js';
import { makeDirectory, removeDirectory } from '../support/tempDirectory.js';

const PAGE = readFileSync(new URL('../../docs/diagnostics.md', import.meta.url), 'utf8');

/** The commands of the page in their order, each with the output that it shows; undefined if it shows none. */
const COMMANDS = [...PAGE.matchAll(/^ {4}npx backprop-ninja (.*)\n(?:\n```\n([\s\S]*?)^```$)?/gm)].map(([, command, output]) => ({
  command,
  output,
}));

describe('docs/diagnostics.md', () => {
  let cwd: string;

  beforeAll(() => {
    cwd = makeDirectory();
    return () => removeDirectory(cwd);
  });

  it('has the three faults of the lecture, before and after training', () => {
    for (const fault of ['confident-output', 'saturated', 'missing-gain', 'weight-scale', 'rate-high'])
      expect(PAGE).toContain(`1. ${fault}`);
    expect(COMMANDS.length).toBeGreaterThan(9);
  });

  it.each(COMMANDS)('shows what $command prints', async ({ command, output }) => {
    const { exitCode, stdout, stderr } = await runCli(cwd, command.split(' '), { tty: 'stdout', columns: 90, env: { NO_COLOR: '1' } });
    expect(exitCode, stderr).toBe(0);
    if (output !== undefined) expect(stdout).toBe(output);
  });
});
