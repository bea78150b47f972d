import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { COMMANDS, createProgram, loadCommands } from '../../src/cli/program.js';
import type { StoredKind } from '../../src/core/kinds.js';
import { flagName, type OptionRow } from '../../src/core/optionRow.js';
import { fakeIO, ONE_ERROR_LINE, runCli } from '../support/fakeIO.js';
import { tempDirectory } from '../support/tempDirectory.js';

const MAX_SEED = '9007199254740991';
const COUNT_NONSENSE = [
  'x',
  '-1',
  'NaN',
  '',
  ' ',
  '0x10',
  '1.5',
  '1e9',
  '1e3',
  '+5',
  '5x',
  'Infinity',
  '٣',
  '1,000',
  '99999999999999999999',
];
const LIST_NONSENSE = [
  ...['0', '1048577', ',', '300,', ',300', '300,,200', '300, 200', '300 ,200', '300 200', '300;200', '300,0', '0,300'],
  ...['300,-1', '300,x', '300,0x10', '300,1.5', '300,1e3', '300,1048577', Array(17).fill('8').join(',')],
];
const NUMBER_NONSENSE = ['x', '-1', 'NaN', '', ' ', '0x10', 'Infinity', '1e999', '0,1', '1_0', '1e', '.', '-'];

function everyCommand() {
  return loadCommands(COMMANDS.map(({ name }) => name));
}

/** Every option of every command, with the kind of its values. */
async function everyOption(): Promise<{ command: string; row: OptionRow; flag: string }[]> {
  const loaded = await Promise.all(COMMANDS.map(async ({ name, load }) => ({ command: name, definition: await load() })));
  return loaded.flatMap(({ command, definition }) => {
    const rows = 'commands' in definition ? [] : (definition.options ?? []);
    return rows.flatMap((row) => (row.flag === undefined ? [] : [{ command, row, flag: flagName(row) }]));
  });
}

/** Texts that no number option accepts, by the type of its stored value. */
const NONSENSE: Partial<Record<StoredKind['type'], readonly string[]>> = {
  whole: COUNT_NONSENSE,
  wholes: [...COUNT_NONSENSE, ...LIST_NONSENSE],
  decimal: NUMBER_NONSENSE,
  decay: [...NUMBER_NONSENSE, 'W1=', '=1', 'W1=x', 'W1=1,', 'W1=1,0.5', 'W1=1,W1=2', 'W1=-1', 'W 1=1'],
};

type Range = readonly [command: string, option: string, range: string, outside: readonly string[]];

/** The ranges of the options that several commands have. */
const networkRanges = (command: string): Range[] => [
  [command, '--context', 'a whole number from 1 to 64', ['0', '65']],
  [command, '--embedding', 'a whole number from 1 to 65536', ['0', '65537']],
  [command, '--hidden', '1 to 16 whole numbers from 1 to 1048576, such as 300,200', ['0', '1048577']],
  [command, '--batch-size', 'a whole number from 2 to 1048576', ['0', '1', '1048577']],
];
const optimizerRanges = (command: string): Range[] => [
  [command, '--momentum', 'a number from 0 to below 1', ['1', '1.5', '-0.1', '1e0']],
  [command, '--beta1', 'a number from 0 to below 1', ['1', '-0.1']],
  [command, '--beta2', 'a number from 0 to below 1', ['1', '-0.1']],
  [command, '--weight-decay', 'a number from 0 to 1000, or one per parameter, such as W1=1.2,C=0.5', ['1e9', '-0.1']],
  [command, '--clip', 'a number above 0 up to 1000000', ['0', '1e9']],
];
const seedRanges = (command: string): Range[] => [
  [command, '--seed', `a whole number from 0 to ${MAX_SEED}`, ['9007199254740992']],
  [command, '--split-seed', `a whole number from 0 to ${MAX_SEED}`, ['9007199254740992']],
];

async function expectRefused(cwd: string, command: string, option: string, value: string, range: string): Promise<void> {
  const { exitCode, stdout, stderr } = await runCli(cwd, [command, option, value]);
  expect({ exitCode, stdout }, value).toEqual({ exitCode: 2, stdout: '' });
  expect(stderr).toMatch(ONE_ERROR_LINE);
  expect(stderr).toMatch(new RegExp(`^error: option '${option} <\\S+>' argument`));
  expect(stderr).toContain(`'${value}' is invalid. Expected ${range}.`);
}

describe('a number option', () => {
  it.each<Range>([
    ...networkRanges('train'),
    ...optimizerRanges('train'),
    ...seedRanges('train'),
    ...networkRanges('lr-find'),
    ...optimizerRanges('lr-find'),
    ...seedRanges('lr-find'),
    ...networkRanges('bench'),
    ['lr-find', '--from', 'a number from 1e-12 to 1000', ['0', '9e-13', '1000.1']],
    ['lr-find', '--to', 'a number from 1e-12 to 1000', ['0', '1000.1']],
    ['lr-find', '--steps', 'a whole number from 100 to 1000000', ['1', '99', '1000001']],
    ['train', '--steps', 'a whole number from 1 to 1000000000', ['0', '1000000001']],
    ['train', '--lr', 'a number above 0 up to 1000', ['0', '0.0', '1e-999', '1e9', '1000.1']],
    ['train', '--warmup', 'a whole number from 0 to 1000000000', ['1000000001']],
    ['train', '--eval-every', 'a whole number from 1 to 1000000000', ['0', '1000000001']],
    ['train', '--save-every', 'a whole number from 1 to 1000000000', ['0', '1000000001']],
    ['train', '--check-every', 'a whole number from 1 to 1000000000', ['0', '1000000001']],
    ['train', '--diagnose-every', 'a whole number from 0 to 1000000000', ['-1', '1000000001']],
    ['sample', '--count', 'a whole number from 1 to 1000000', ['0', '1000001']],
    ['sample', '--temperature', 'a number from 0 to 100', ['1e9', '100.1', '-0.1']],
    ['sample', '--top-k', 'a whole number from 1 to 1114112', ['0', '1114113']],
    ['sample', '--seed', `a whole number from 0 to ${MAX_SEED}`, ['9007199254740992']],
    ['sweep', '--random', 'a whole number from 1 to 10000', ['0', '10001']],
    ['sweep', '--seed', `a whole number from 0 to ${MAX_SEED}`, ['9007199254740992']],
    ['sweep', '--jobs', 'a whole number from 1 to 1024', ['0', '1025']],
    ...['train', 'sweep', 'eval', 'replay', 'report', 'doctor', 'lr-find', 'bench'].map(
      (command): Range => [command, '--threads', "'auto' or a whole number from 1 to 1024", ['0', '1025', '1.5', '-1', 'all', '']],
    ),
    ['why', '--seed', `a whole number from 0 to ${MAX_SEED}`, ['9007199254740992']],
    ['why', '--batch', 'a whole number from 0 to 100000', ['100001']],
    ['why', '--n', 'a whole number from 2 to 1024', ['0', '1', '1025']],
    ['hunt', '--seed', `a whole number from 0 to ${MAX_SEED}`, ['9007199254740992']],
    ['bench', '--seconds', 'a number from 0.01 to 3600', ['0', '1e-9', '3601']],
    ['grad-check', '--eps', 'a number from 0.00001 to 0.1', ['0', '1e-12', '9e-6', '1e9', '0.11']],
    ['grad-check', '--tolerance', 'a number from 1e-9 to 0.01', ['0', '1e-10', '1e9', '0.011', '1']],
    ['grad-check', '--entries', "'all' or a whole number from 1 to 1000000000", [...COUNT_NONSENSE, '0', 'ALL', 'alle']],
    ['grad-check', '--seed', `a whole number from 0 to ${MAX_SEED}`, ['9007199254740992']],
  ])('refuses values outside its range: %s %s, %s', async (command, option, range, outside) => {
    const cwd = tempDirectory();
    for (const value of outside) await expectRefused(cwd, command, option, value, range);
    expect(readdirSync(cwd)).toEqual([]);
  });

  it('refuses text that is not a number, in every command', async () => {
    const cwd = tempDirectory();
    const options = (await everyOption()).filter(({ row }) => row.kind.stored.type in NONSENSE);
    expect(options.length).toBeGreaterThan(40);
    for (const { command, flag, row } of options) {
      for (const value of NONSENSE[row.kind.stored.type] ?? []) await expectRefused(cwd, command, flag, value, row.kind.expected);
    }
    expect(readdirSync(cwd)).toEqual([]);
  });
});

describe('an option with choices', () => {
  it.each([
    ['eval', '--split', 'validation', 'train, val, test'],
    ['eval', '--split', '', 'train, val, test'],
    ['grad-check', '--part', 'exercise1', 'atomic, closed-forms, model, backend'],
  ])('lists them if the value is not one of them: %s %s %j', async (command, option, value, choices) => {
    const { exitCode, stdout, stderr } = await runCli(tempDirectory(), [command, option, value]);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(stderr).toMatch(ONE_ERROR_LINE);
    expect(stderr).toContain(`'${value}' is invalid. Allowed choices are ${choices}.`);
  });
});

describe('a misspelt command line', () => {
  it.each([
    [['trian'], "unknown command 'trian'", 'train'],
    [['evla'], "unknown command 'evla'", 'eval'],
    [['sampel'], "unknown command 'sampel'", 'sample'],
    [['gradcheck'], "unknown command 'gradcheck'", 'grad-check'],
    [['repaly'], "unknown command 'repaly'", 'replay'],
    [['dif'], "unknown command 'dif'", 'diff'],
    [['help', 'trian'], "unknown command 'trian'", 'train'],
    [['train', '--resum'], "unknown option '--resum'", '--resume'],
    [['train', '--evalevery=3'], "unknown option '--evalevery=3'", '--eval-every'],
    [['train', '--hiden', '3'], "unknown option '--hiden'", '--hidden'],
    [['train', '--spilt-seed', '3'], "unknown option '--spilt-seed'", '--split-seed'],
    [['train', '--batchsize=3'], "unknown option '--batchsize=3'", '--batch-size'],
    [['eval', '--splt', 'val'], "unknown option '--splt'", '--split'],
    [['sample', '--temprature', '1'], "unknown option '--temprature'", '--temperature'],
    [['grad-check', '--agianst', 'x'], "unknown option '--agianst'", '--against'],
  ])('is refused with a suggestion: %j (2)', async (argv, problem, meant) => {
    const { exitCode, stdout, stderr } = await runCli(tempDirectory(), argv);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(stderr).toBe(`error: ${problem} (Did you mean ${meant}?)\n`);
  });

  it.each([
    [['xyzzy'], "unknown command 'xyzzy'"],
    [['--xyzzy'], "unknown option '--xyzzy'"],
    [['train', '--xyzzy'], "unknown option '--xyzzy'"],
    [['train', 'names.txt'], "'train' takes no arguments, but got 'names.txt'; did you mean --data names.txt?"],
    [['mutants', 'x', 'y'], "'mutants' takes no arguments, but got 'x'"],
    [['sample', 'a', 'b'], "too many arguments for 'sample'. Expected 1 argument but got 2."],
    [['diff', 'a'], "missing required argument 'run-b'"],
    [['diff', 'a', 'b', 'c'], "too many arguments for 'diff'. Expected 2 arguments but got 3."],
    [['replay', 'a', 'b'], "too many arguments for 'replay'. Expected 1 argument but got 2."],
    [['train', '--save-every'], "option '--save-every <steps>' argument missing"],
    [['train', '--steps'], "option '--steps <count>' argument missing"],
    [['eval', '--data'], "option '--data <file>' argument missing"],
    [['grad-check', '--part'], "option '--part <name...>' argument missing"],
  ])('is refused without a suggestion: %j (2)', async (argv, problem) => {
    const { exitCode, stdout, stderr } = await runCli(tempDirectory(), argv);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(stderr).toBe(`error: ${problem}\n`);
  });

  it('is shown escaped', async () => {
    const nasty = '\x1b[31mx\n\u202e';
    for (const argv of [[nasty], [`--${nasty}`], ['train', '--steps', nasty], ['eval', '--split', nasty], ['sample', nasty]]) {
      const { exitCode, stderr } = await runCli(tempDirectory(), argv);
      expect(exitCode).toBe(argv[0] === 'sample' ? 4 : 2);
      expect(stderr.slice(0, -1), JSON.stringify(argv)).not.toMatch(/[\p{Cc}\u202e]/u);
    }
  });

  it('prints the help on stderr if it is empty (2)', async () => {
    const { exitCode, stdout, stderr } = await runCli(tempDirectory(), []);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(stderr).toMatch(/^Usage: backprop-ninja/);
  });
});

describe('help', () => {
  const COMMON = ['--json', '--no-color', '--debug', '--help'];
  const OWN = COMMANDS.map(({ name }) => name).filter((name) => name !== 'exercise');

  it('of the program lists every command, and has examples', async () => {
    const { exitCode, stdout, stderr } = await runCli(tempDirectory(), ['--help']);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    for (const command of [...COMMANDS.map(({ name }) => name), 'help']) expect(stdout).toMatch(new RegExp(`^  ${command} `, 'm'));
    expect(stdout).toMatch(/\nExamples:\n( {2}backprop-ninja .+\n)+\n?$/);
  });

  it.each(OWN)('of %s explains every option, and has examples', async (command) => {
    const options = (await everyOption()).filter((option) => option.command === command).map(({ flag }) => flag);
    const { exitCode, stdout, stderr } = await runCli(tempDirectory(), [command, '--help'], { columns: 200 });
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    const shown = [...stdout.matchAll(/^ {2}(?:-\w, )?(--[\w-]+)(?: <\S+>| \[\S+\])? {2,}\w/gm)].map((match) => match[1]);
    expect([...shown].sort()).toEqual([...options, ...COMMON].sort());
    const [, examples] = stdout.split('\nExamples:\n');
    const lines = examples.trimEnd().split('\n');
    expect(lines.length).toBeGreaterThan(0);
    for (const line of lines) expect(line).toMatch(new RegExp(`^  backprop-ninja ${command}( .*)?  +\\S`));
    expect((await runCli(tempDirectory(), ['help', command], { columns: 200 })).stdout).toBe(stdout);
  });

  it.each([
    ['train', ['default: 3', 'default: 10', 'default: 200', 'default: 32', 'default: 200000', 'default: 0.1', '2147483647', 'default: 42']],
    ['train', ['0.001 with adam and adamw', 'default: 0.9)', 'default: 0.999', 'default: 0.01', 'default: none']],
    ['train', ['default: "sgd"', 'default: "step"', 'default: "replacement"', 'default: 0)']],
    ['train', ['default: 1000', 'default: runs/latest', 'default: same as --eval-every', 'at most 2 % of the time']],
    ['eval', ['default: "val"', 'runs/latest']],
    ['replay', ['runs/latest', "default: the run's own"]],
    ['sample', ['default: 20', 'default: 1', 'runs/latest']],
    ['grad-check', ['default: 0.001', 'default: 0.000001', 'default: 100']],
  ])('of %s shows the defaults', async (command, defaults) => {
    const { stdout } = await runCli(tempDirectory(), [command, '--help'], { columns: 200 });
    for (const text of defaults) expect(stdout).toContain(text);
  });

  it.each([1, 6, 7, 10, 40])('fits a terminal of %i columns', async (columns) => {
    const { exitCode, stdout } = await runCli(tempDirectory(), ['train', '--help'], { columns, tty: true });
    expect(exitCode).toBe(0);
    expect(stdout).toContain('--hidden');
  });

  it.each([[], ...COMMANDS.map(({ name }) => [name])].map((words) => [words.join(' '), words]))(
    'of %j has no line over 80 columns',
    async (_, words) => {
      const { stdout } = await runCli(tempDirectory(), [...words, '--help'], { columns: 80, tty: true });
      expect(stdout.split('\n').filter((line) => line.length > 80)).toEqual([]);
    },
  );

  it.each([
    ['exercise'],
    ['exercise', 'check'],
    ['exercise', 'watch'],
    ['exercise', 'hint'],
    ['exercise', 'solution'],
    ['hunt'],
    ['help', 'exercise'],
  ])('of %s %s has no line over 40 columns', async (...words) => {
    const argv = words[0] === 'help' ? words : [...words, '--help'];
    const { stdout } = await runCli(tempDirectory(), argv, { columns: 40, tty: true });
    // A usage line is not wrapped.
    expect(stdout.split('\n').filter((line) => line.length > 40)).toEqual([]);
  });

  it('has examples with npx if npx runs the program', async () => {
    const { stdout } = await runCli(tempDirectory(), ['hunt', '--help'], { env: { npm_command: 'exec' } });
    expect(stdout).toContain('  npx backprop-ninja hunt --seed 7  a mistake that others can hunt too\n');
  });

  it('wraps descriptions on 40 columns', async () => {
    const { stdout } = await runCli(tempDirectory(), ['sample', '--help'], { columns: 40, tty: true });
    expect(stdout).toContain('  --count <number>   number of names\n                     (default: 20)\n');
    expect(stdout).toContain('  backprop-ninja sample --count 5 \\\n    --seed 1\n      five names\n');
  });

  it('has examples that the parser accepts', async () => {
    const io = fakeIO(tempDirectory(), { columns: 200 });
    const loaded = await everyCommand();
    const program = createProgram(io, { loaded });
    for (const command of program.commands) {
      command.action(() => {});
      command.outputHelp();
    }
    program.outputHelp();
    const commands = [...io.stdout.text.matchAll(/^ {2}backprop-ninja (.+?)(?: \|.*?)? {3,}\S/gm)].map((match) => match[1]);
    expect(commands.length).toBeGreaterThan(10);
    for (const line of commands) {
      const again = createProgram(io, { loaded });
      for (const command of again.commands) command.action(() => {});
      expect(() => again.parse(line.split(' '), { from: 'user' }), line).not.toThrow();
    }
  });
});

describe('--version', () => {
  it.each(['--version', '-V'])("%s prints the package's version", async (flag) => {
    const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
    expect(await runCli(tempDirectory(), [flag])).toMatchObject({ exitCode: 0, stdout: `${version}\n`, stderr: '' });
  });
});
