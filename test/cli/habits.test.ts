import { describe, expect, it } from 'vitest';
import { HABITS } from '../../src/cli/habits.js';
import { TRAIN_OPTIONS } from '../../src/cli/train/trainOptions.js';
import { flagName, type OptionRow } from '../../src/core/optionRow.js';
import { runCli } from '../support/fakeIO.js';
import { expectRefusal } from '../support/faults.js';
import { put, tempDirectory } from '../support/tempDirectory.js';

const flags = TRAIN_OPTIONS.map((row: OptionRow) => flagName(row));
const dashed = (name: string) => (name.length === 1 ? `-${name}` : `--${name}`);

describe('the table of habits', () => {
  it('answers with options that train has', () => {
    for (const flag of Object.keys(HABITS.SAME)) expect(flags).toContain(flag);
    for (const [, answer] of HABITS.OTHERS) {
      for (const [flag] of answer.matchAll(/--[a-z-]+/g))
        expect([...flags, '--count', '--temperature', '--top-k', '--prefix']).toContain(flag);
    }
  });

  it('has every name once, and none that is an option of train', () => {
    const names = [...Object.values(HABITS.SAME).flat(), ...HABITS.OTHERS.flatMap(([list]) => list)];
    expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
    expect(names.filter((name) => flags.includes(`--${name}`))).toEqual([]);
  });

  it.each(Object.entries(HABITS.SAME))('answers %s for each of its other names', async (flag, names) => {
    const cwd = tempDirectory();
    for (const name of names) {
      const typed = [dashed(name), `--${name.replaceAll('-', '_')}`, `${dashed(name)}=5`];
      for (const option of new Set(name.length === 1 ? [dashed(name)] : typed)) {
        expectRefusal(
          await runCli(cwd, ['train', option, '5']),
          2,
          `unknown option '${option}'`,
          new RegExp(`it is ${flag} here|Did you mean ${flag}`),
        );
      }
    }
  });

  it.each(HABITS.OTHERS.map(([names, answer]) => [answer, names] as const))('answers: %s', async (answer, names) => {
    const cwd = tempDirectory();
    for (const name of names) expectRefusal(await runCli(cwd, ['train', dashed(name), '5']), 2, `unknown option '${dashed(name)}'`, answer);
  });
});

describe.each(Object.entries(HABITS.OF_COMMAND))('an option of another program is answered by %s:', (command, habits) => {
  it.each(habits.map(([names, answer]) => [answer, names] as const))('%s', async (answer, names) => {
    const cwd = tempDirectory();
    for (const name of names) expectRefusal(await runCli(cwd, [command, dashed(name), '5']), 2, `unknown option '${dashed(name)}'`, answer);
  });
});

describe('a command line of makemore', () => {
  it.each([
    ['-i names.txt -o out', "unknown option '-i'; it is --data here"],
    ['--input-file names.txt', 'it is --data here'],
    ['--work-dir out', 'it is --out here'],
    ['--max-steps 5', 'it is --steps here'],
    ['--block-size 8', 'it is --context here'],
    ['--n-embd 16', 'it is --embedding here'],
    ['--n-embd2 64', 'it is --hidden here'],
    ['--n-layer 4', '--hidden has a size per block: --hidden 200,200 makes two'],
    ['--n-head 4', 'no attention'],
    ['-b 32', 'it is --batch-size here'],
    ['-l 5e-4', 'it is --lr here'],
    ['--learning_rate 5e-4', 'it is --lr here'],
    ['-w 0.01', 'it is --weight-decay here'],
    ['--device cpu', 'leave it out: training runs on the CPU; --threads sets how many cores'],
    ['--type mlp', 'one kind of network'],
    ['--top-k 5', "it belongs to 'sample'"],
    ['--sample-only', "that is a command: 'sample' prints names"],
    ['--num-workers 4', "'sweep' trains several runs at a time"],
    ['--num-threads 4', 'it is --threads here'],
    ['--batch_size 32', "unknown option '--batch_size' (Did you mean --batch-size?)"],
    ['-lr 0.1', "unknown option '-lr'; it is --lr here"],
    ['--Learning-Rate 0.1', 'it is --lr here'],
  ])('train %s', async (options, says) => {
    expectRefusal(await runCli(tempDirectory(), ['train', ...options.split(' ')]), 2, says);
  });

  it('for a command that trains nothing names the option of train', async () => {
    expectRefusal(await runCli(tempDirectory(), ['sample', '--block-size', '8']), 2, "it is --context in 'train'");
  });

  it.each([
    [['bench', '--preset', 'best'], "unknown option '--preset'; it is an option of 'train'"],
    [['bench', '--seed', '4'], "it is an option of 'train'"],
    [['bench', '--max-steps', '4'], "it is --steps in 'train'"],
    [['bench', '--block-size', '8'], 'it is --context here'],
    [['lr-find', '--lr', '1'], "it is an option of 'train'"],
    [['lr-find', '--num-steps', '400'], 'it is --steps here'],
    [['sample', '--random-seed', '4'], 'it is --seed here'],
    [['eval', '--hidden', '4'], "it is an option of 'train'"],
    [['exercise', 'check', '--hidden', '4'], "it is an option of 'train'"],
    [['sweep', '--vary', 'lr=0.1/0.2', '--block-size', '8'], 'it is --context, after --'],
    [['sweep', '--vary', 'lr=0.1/0.2', '--random-seed', '8'], 'it is --seed here'],
  ])('%j names an option only if the command has it', async (argv, says) => {
    expectRefusal(await runCli(tempDirectory(), argv), 2, says);
  });

  it('keeps the suggestion for a misspelt option', async () => {
    expectRefusal(await runCli(tempDirectory(), ['train', '--stepz', '8']), 2, "unknown option '--stepz' (Did you mean --steps?)");
  });
});

describe('an argument where an option is meant', () => {
  it.each([
    [['train', 'names.txt'], "'train' takes no arguments, but got 'names.txt'; did you mean --data names.txt?"],
    [['train', 'my names.txt'], "did you mean --data 'my names.txt'?"],
    [['train', 'fast'], 'did you mean --preset fast?'],
    [['train', 'old'], 'did you mean --resume old?'],
    [['lr-find', 'names.txt'], 'did you mean --data names.txt?'],
    [['bench', 'names.txt'], 'did you mean --data names.txt?'],
    [['names.txt'], "unknown command 'names.txt'; to train on a file: backprop-ninja train --data names.txt"],
    [['./list'], 'backprop-ninja train --data ./list'],
    [['generate'], "unknown command 'generate'; it is 'backprop-ninja sample' here"],
    [['resume'], "it is 'backprop-ninja train --resume' here"],
    [['check'], "it is 'backprop-ninja exercise check' here"],
    [['trian'], "unknown command 'trian' (Did you mean train?)"],
  ])('%j', async (argv, says) => {
    const cwd = tempDirectory();
    put(cwd, 'old/run.json', '{}');
    put(cwd, 'list', 'anna\n');
    expectRefusal(await runCli(cwd, argv), 2, says);
  });
});
