import { cpSync, mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { COMMANDS, createProgram, loadCommands } from '../../src/cli/program.js';
import { FileContentError } from '../../src/core/errors.js';
import { readNamesFile } from '../../src/node/namesFile.js';
import { fakeIO, runCli, SMALL, writeNames } from '../support/fakeIO.js';
import { makeDirectory, put, removeDirectory, tempDirectory } from '../support/tempDirectory.js';

let template: string;

beforeAll(async () => {
  template = makeDirectory();
  writeNames(template);
  expect((await runCli(template, ['train', ...SMALL, '--steps', '3', '--out', 'run'])).exitCode).toBe(0);
  put(template, 'broken.txt', 'a.b\n');

  return () => removeDirectory(template);
});

/** Options that keep each command short; they come last, so they win. */
const QUICK: Record<string, string[]> = {
  train: '--steps 3 --hidden 2 --embedding 2 --context 2 --batch-size 3'.split(' '),
  eval: [],
  sample: ['--count', '2'],
  'grad-check': '--entries 1 --part closed-forms'.split(' '),
  replay: [],
  diff: [],
  import: [],
  why: '--n 3'.split(' '),
  bench: '--seconds 0.01 --hidden 2 --embedding 2 --context 2 --batch-size 3'.split(' '),
};

const SHORT_ANYWAY = ['eval', 'sample', 'replay', 'diff'];

/** The data set for commands that would use the bundled names. A later option wins. */
const FIRST: Record<string, string[]> = {
  train: ['--data', 'names.txt'],
  bench: ['--data', 'names.txt'],
  import: ['--data', 'names.txt'],
  why: ['--data', 'names.txt', 'dW1'],
};

/** Parts of grad-check that take a second or more, and the option that prints more than one line. */
const LEFT_OUT = ['atomic', 'model', 'backend', '--debug'];

const VALUES =
  '|0|1|2|3|50|-1|-0|+1|1.5|1e3|1e9|1e-3|0x10|NaN|Infinity|all|val|test|train|wasm|reference|both|none|.|run|names.txt|broken.txt|new|-new|ma|é|漢|😀|\n|\x1b[31m|\u202e|--|-|=|run/checkpoint.safetensors|run/run.json|runs/latest|nothing/there';

/** A text that does not name a file outside the working directory. */
const text = fc
  .oneof(
    { weight: 5, arbitrary: fc.constantFrom(...VALUES.split('|')) },
    { weight: 1, arbitrary: fc.string({ maxLength: 12 }) },
    { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 12 }) },
  )
  .filter((value) => !/\0|\.\.|^\/|=\//.test(value) && !LEFT_OUT.includes(value));

/** Words that are valid, or invalid only because of the file they name. */
const SENSIBLE = [['run'], ['run', 'run'], ['runs/latest'], ['--data', 'names.txt'], ['--data', 'broken.txt'], ['broken.txt'], ['--json']];

/** A command line with typical mistakes: true and invented options in any order, with and without values. */
async function commandLines() {
  const loaded = await loadCommands(COMMANDS.map(({ name }) => name));
  const { commands } = createProgram(fakeIO('/'), { loaded });
  const known = Object.fromEntries(commands.map((command) => [command.name(), command.options.map((option) => option.long as string)]));
  const everyOption = [...new Set(Object.values(known).flat())];
  return fc.constantFrom(...Object.keys(QUICK)).chain((command) => {
    const flag = fc
      .oneof(
        { weight: 12, arbitrary: fc.constantFrom(...known[command]) },
        { weight: 1, arbitrary: fc.constantFrom(...everyOption) },
        { weight: 1, arbitrary: text.map((name) => `--${name}`) },
      )
      .filter((name) => !LEFT_OUT.includes(name));
    const word = fc.oneof(
      flag.map((name) => [name]),
      fc.tuple(flag, text).map(([name, value]) => [name, value]),
      fc.tuple(flag, text).map(([name, value]) => [`${name}=${value}`]),
      text.map((value) => [value]),
      fc.constantFrom(...SENSIBLE),
      fc.constantFrom(...SENSIBLE),
    );
    return fc.array(word, { maxLength: 3 }).map((words) => {
      // The tests' own standard input may never end.
      const given = words.flat().map((one, i, all) => ((one === '-' && all[i - 1] === '--data') || one === '--data=-' ? 'names.txt' : one));
      // After a bare --, the options that keep the command short would not be options.
      if (SHORT_ANYWAY.includes(command)) return [command, ...QUICK[command], ...given];
      return [command, ...(FIRST[command] ?? []), ...given.filter((word) => word !== '--'), ...QUICK[command]];
    });
  });
}

const ANSWER_NO = 1;

describe('any command line', () => {
  it('ends with a known exit code, and one line says what is wrong', async () => {
    const seen = new Map<number, number>();
    const parent = tempDirectory();
    await fc.assert(
      fc.asyncProperty(await commandLines(), async (argv) => {
        const cwd = mkdtempSync(join(parent, 'case-'));
        cpSync(template, cwd, { recursive: true });
        const { exitCode, stdout, stderr } = await runCli(cwd, argv, { tick: 20 });
        removeDirectory(cwd);
        seen.set(exitCode, (seen.get(exitCode) ?? 0) + 1);
        expect([0, ANSWER_NO, 2, 3, 4, 5]).toContain(exitCode);
        const errors = stderr.split('\n').filter((line) => line.startsWith('error:'));
        expect(errors).toHaveLength(exitCode === 0 || exitCode === ANSWER_NO ? 0 : 1);
        if (errors.length > 0) {
          expect(stderr.endsWith(`${errors[0]}\n`)).toBe(true);
          expect(errors[0]).toMatch(/^error: [^\p{Cc}\u202e]*[^\s\p{Cc}\u202e]$/u);
          expect(errors[0]).not.toMatch(/TypeError|RangeError|undefined|is not a function|Cannot read prop/);
          expect(stdout).toBe('');
        }
        expect(stdout + stderr).not.toMatch(/^ {4}at /m);
        expect(stderr.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\u202e]/u);
      }),
      { numRuns: 1000 },
    );
    // Every exit code occurs, so the property does not only hold for refusals.
    for (const exitCode of [0, 2, 3, 4]) expect(seen.get(exitCode) ?? 0, `exit code ${exitCode}`).toBeGreaterThan(0);
  });
});

describe('any bytes as a data file', () => {
  const lines = fc.array(
    fc.oneof(
      fc.uint8Array({ maxLength: 12 }),
      fc.string({ unit: 'binary', maxLength: 8 }).map((line) => new TextEncoder().encode(line)),
      fc.constantFrom('', 'anna', ' bob ', 'a.b', '\ufeff', 'zoé', '漢字', '\r', '\t').map((line) => new TextEncoder().encode(line)),
    ),
    { maxLength: 6 },
  );
  const files = fc.oneof(
    fc.uint8Array({ maxLength: 64 }),
    lines.map((parts) => Buffer.concat(parts.flatMap((part) => [part, Buffer.from('\n')]))),
  );

  it('are names, or refused in one line that names the file', () => {
    const directory = tempDirectory();
    const seen = { read: 0, refused: 0 };
    fc.assert(
      fc.property(files, (bytes) => {
        const path = put(directory, 'names.txt', bytes);
        try {
          const { names } = readNamesFile(path);
          seen.read++;
          expect(names.length).toBeGreaterThan(0);
          for (const name of names) expect(name).toMatch(/^[^\p{Cc}.\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]+$/u);
          // Nothing was replaced: the bytes contain every name.
          for (const name of names) expect(Buffer.from(bytes).includes(name)).toBe(true);
        } catch (error) {
          if (!(error instanceof FileContentError)) throw error;
          seen.refused++;
          expect(error.message.startsWith(path)).toBe(true);
          expect(error.message).not.toMatch(/[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/u);
          expect(error.message.length).toBeLessThan(path.length + 200);
        }
      }),
      { numRuns: 3000 },
    );
    expect(seen.read).toBeGreaterThan(100);
    expect(seen.refused).toBeGreaterThan(1000);
  });
});
