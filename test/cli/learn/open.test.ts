import { chmodSync, cpSync, mkdirSync, readFileSync, realpathSync, renameSync, symlinkSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { LESSON_PARAMETER_NAMES } from '../../../src/network/parameters.js';
import { loadCheckpoint } from '../../../src/node/checkpointFile.js';
import { type PageRun, readRunData } from '../../../src/run/pageData.js';
import { NAMES, runCli, type Surroundings, trainSmall } from '../../support/fakeIO.js';
import { expectRefusal, ninja } from '../../support/faults.js';
import { makeDirectory, put, removeDirectory, snapshot, tempDirectory } from '../../support/tempDirectory.js';

const paths = vi.hoisted(() => ({ page: '' }));
vi.mock('../../../src/node/paths.js', async (importOriginal) => ({
  ...(await importOriginal<typeof import('../../../src/node/paths.js')>()),
  get PAGE() {
    return paths.page;
  },
}));

/** A page as far as this command knows it. */
const HTML = '<!doctype html>\n<script type="application/json" id="run-data">null</script>\n<p>the page</p>\n';

let trained: string;

beforeAll(async () => {
  trained = makeDirectory();
  await trainSmall(trained);
  return () => removeDirectory(trained);
});

beforeEach(() => {
  paths.page = put(tempDirectory(), 'dist/page.html', HTML);
});

/** A copy of the trained run and its data that a test may change. */
function copyOfRun(): string {
  const cwd = tempDirectory();
  cpSync(trained, cwd, { recursive: true });
  put(cwd, 'run/run.json', readFileSync(join(cwd, 'run/run.json'), 'utf8').replaceAll(trained, cwd));
  return cwd;
}

/** A terminal on a desktop, and what it was told to open. */
function desktop(env: Surroundings['env'] = { DISPLAY: ':0' }, platform = 'linux') {
  const opened: string[] = [];
  const openInBrowser = async (path: string) => void opened.push(path);
  return { opened, surroundings: { env, platform, openInBrowser } };
}

/** The run in a page's file, as a browser reads it. */
function runIn(file: string): PageRun | undefined {
  const [, json] = /<script type="application\/json" id="run-data">(.*?)<\/script>/s.exec(readFileSync(file, 'utf8')) as RegExpExecArray;
  return readRunData(json);
}

describe('open', () => {
  it('opens the packaged page, and prints its path', async () => {
    const { opened, surroundings } = desktop();
    const { exitCode, stdout, stderr } = await runCli(tempDirectory(), ['open'], surroundings);
    expect({ exitCode, stdout, stderr }).toEqual({ exitCode: 0, stdout: `${paths.page}\n`, stderr: 'Opening in your browser:\n' });
    expect(opened).toEqual([paths.page]);
  });

  it.each<[where: string, env: Surroundings['env'], platform: string, says: string]>([
    ['no display', {}, 'linux', 'there is no display'],
    ['a BSD without a display', {}, 'freebsd', 'there is no display'],
    ['SSH, even with a display', { SSH_CONNECTION: '::1', DISPLAY: 'localhost:10.0' }, 'linux', 'this is an SSH session'],
    ['SSH to a Mac', { SSH_TTY: '/dev/ttys001' }, 'darwin', 'this is an SSH session'],
    ['CI', { CI: 'true', DISPLAY: ':99' }, 'linux', 'CI is set'],
    ['CI on Windows', { CI: '1' }, 'win32', 'CI is set'],
    ['BROWSER=none', { BROWSER: 'none', DISPLAY: ':0' }, 'linux', 'BROWSER is none'],
  ])('starts nothing where no browser can be: %s', async (_, env, platform, says) => {
    const { opened, surroundings } = desktop(env, platform);
    const { exitCode, stdout, stderr } = await runCli(tempDirectory(), ['open'], surroundings);
    expect({ exitCode, stdout, stderr }).toEqual({
      exitCode: 0,
      stdout: `${paths.page}\n`,
      stderr: `No browser was found: ${says}. Open this file in one, here or on another machine:\n`,
    });
    expect(opened).toEqual([]);
  });

  it.each<[where: string, env: Surroundings['env'], platform: string]>([
    ['X', { DISPLAY: ':0' }, 'linux'],
    ['Wayland', { WAYLAND_DISPLAY: 'wayland-0' }, 'linux'],
    ['the Windows Subsystem for Linux', { WSL_DISTRO_NAME: 'Debian' }, 'linux'],
    ['macOS', {}, 'darwin'],
    ['Windows', {}, 'win32'],
    ['CI=false', { CI: 'false', DISPLAY: ':0' }, 'linux'],
    ['another browser', { BROWSER: 'firefox', DISPLAY: ':0' }, 'linux'],
  ])('opens the page with %s', async (_, env, platform) => {
    const { opened, surroundings } = desktop(env, platform);
    expect(await runCli(tempDirectory(), ['open'], surroundings)).toMatchObject({ exitCode: 0, stderr: 'Opening in your browser:\n' });
    expect(opened).toEqual([paths.page]);
  });

  it('prints the path and a sentence when the opener fails, as where xdg-open is missing', async () => {
    const openInBrowser = () => Promise.reject(new Error('spawn xdg-open ENOENT'));
    const { exitCode, stdout, stderr } = await runCli(tempDirectory(), ['open'], { env: { DISPLAY: ':0' }, openInBrowser });
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: `${paths.page}\n` });
    expect(stderr).toBe('No browser was found: the system opened none. Open this file in one, here or on another machine:\n');
  });

  it('with --print prints the path alone, and opens nothing', async () => {
    const { opened, surroundings } = desktop();
    const { exitCode, stdout, stderr } = await runCli(tempDirectory(), ['open', '--print'], surroundings);
    expect({ exitCode, stdout, stderr, opened }).toEqual({ exitCode: 0, stdout: `${paths.page}\n`, stderr: '', opened: [] });
  });

  it('with --json says which file, its address, and whether it was opened', async () => {
    const cwd = put(tempDirectory(), 'a folder #1/x', '').slice(0, -2);
    const { surroundings } = desktop();
    const json = async (...argv: string[]) => JSON.parse((await runCli(cwd, ['open', '--json', ...argv], surroundings)).stdout);
    const opened = await json('--out', 'p.html');
    expect(opened).toEqual({ file: join(cwd, 'p.html'), url: expect.stringMatching(/a%20folder%20%231\/p\.html$/), opened: true });
    expect(fileURLToPath(opened.url)).toBe(opened.file);
    expect(await json('--print')).toMatchObject({ file: paths.page, opened: false });
  });

  it('says what to do where the page was not built', async () => {
    paths.page = join(tempDirectory(), 'page.html');
    for (const argv of [['open'], ['open', '--out', 'x.html'], ['open', '--run', 'run']]) {
      expectRefusal(await runCli(trained, argv), 4, 'dist/page.html is missing; run: npm run build');
    }
  });

  it('proposes --run for the directory of a run, and takes no other argument', async () => {
    expectRefusal(await runCli(trained, ['open', 'run']), 2, "'open' takes no arguments, but got 'run'; did you mean --run run?");
    expectRefusal(await runCli(trained, ['open', 'hunt']), 2, "'open' takes no arguments, but got 'hunt'");
  });
});

describe('open --out', () => {
  it('writes a copy of the page and opens that', async () => {
    const cwd = tempDirectory();
    const { opened, surroundings } = desktop();
    expect(await runCli(cwd, ['open', '--out', 'copy.html'], surroundings)).toMatchObject({
      exitCode: 0,
      stdout: `${join(cwd, 'copy.html')}\n`,
    });
    expect(readFileSync(join(cwd, 'copy.html'), 'utf8')).toBe(HTML);
    expect(opened).toEqual([join(cwd, 'copy.html')]);
  });

  it('replaces a file only with --force, and never the page itself or a file of the run', async () => {
    const cwd = copyOfRun();
    put(cwd, 'mine.html', 'mine');
    const before = snapshot(cwd);
    expectRefusal(await runCli(cwd, ['open', '--out', 'mine.html']), 2, '--out mine.html exists; --force replaces it');
    expectRefusal(await runCli(cwd, ['open', '--out', paths.page, '--force']), 2, 'would overwrite what it is made from');
    for (const file of ['checkpoint.safetensors', 'run.json']) {
      expectRefusal(await runCli(cwd, ['open', '--run', 'run', '--out', join('run', file), '--force']), 2, 'would overwrite');
    }
    expectRefusal(await runCli(cwd, ['open', '--run', 'run', '--out', 'names.txt', '--force']), 2, 'is made from');
    expect(snapshot(cwd)).toEqual(before);
    expect(await runCli(cwd, ['open', '--out', 'mine.html', '--force'])).toMatchObject({ exitCode: 0 });
    expect(readFileSync(join(cwd, 'mine.html'), 'utf8')).toBe(HTML);
  });

  it('refuses a name that a browser would not show as a page', async () => {
    const cwd = tempDirectory();
    expectRefusal(
      await runCli(cwd, ['open', '--out', 'my page']),
      2,
      "--out 'my page' does not end with .html",
      "did you mean --out 'my page.html'?",
    );
    expectRefusal(await runCli(cwd, ['open', '--out', 'page.txt']), 2, 'did you mean --out page.txt.html?');
    for (const name of ['page.HTML', 'page.htm']) expect(await runCli(cwd, ['open', '--out', name])).toMatchObject({ exitCode: 0 });
  });

  it('refuses a directory that is missing, and a path that is a directory', async () => {
    const cwd = tempDirectory();
    expectRefusal(await runCli(cwd, ['open', '--out', 'none/page.html']), 4, 'there is no directory none');
    expectRefusal(await runCli(cwd, ['open', '--out', '.']), 4, 'it is a directory');
  });

  it('is answered for the words of other programs: no server, no other browser, -o', async () => {
    const cwd = tempDirectory();
    expectRefusal(await runCli(cwd, ['open', '--port', '80']), 2, 'there is no server, the page is one file');
    expectRefusal(await runCli(cwd, ['open', '-o', 'x.html']), 2, 'it is --out here');
    expectRefusal(await runCli(cwd, ['serve']), 2, "unknown command 'serve'", 'open');
  });
});

describe('open --run', () => {
  it('writes the page with the network into the directory of the run, says that the names are in it, and opens it', async () => {
    const cwd = copyOfRun();
    const { opened, surroundings } = desktop();
    const { exitCode, stdout, stderr } = await runCli(cwd, ['open', '--run', 'run'], surroundings);
    const file = join(cwd, 'run', 'page.html');
    expect({ exitCode, stdout, opened }).toEqual({ exitCode: 0, stdout: `${file}\n`, opened: [file] });
    expect(stderr).toBe("note: run/page.html holds the 60 names of the run's data set\nOpening in your browser:\n");
    const { tensors, config } = loadCheckpoint(join(cwd, 'run', 'checkpoint.safetensors'));
    const run = runIn(file);
    expect(run).toMatchObject({
      name: 'run',
      step: 50,
      seed: config.seed,
      names: NAMES,
      config: { context: 3, embedding: 4, hidden: [8] },
    });
    for (const name of LESSON_PARAMETER_NAMES) expect(run?.parameters[name].data, name).toEqual(tensors.get(name));
  });

  it('holds nothing of the machine: no directory above the run, no path of its data', async () => {
    const cwd = copyOfRun();
    await runCli(cwd, ['open', '--run', 'run']);
    const html = readFileSync(join(cwd, 'run', 'page.html'), 'utf8');
    expect(html).not.toContain(basename(cwd));
    expect(html).not.toContain(basename(trained));
    expect(html).not.toContain('names.txt');
  });

  it('names the run, not the link to it, and takes the best checkpoint, too', async () => {
    const cwd = copyOfRun();
    mkdirSync(join(cwd, 'runs'));
    renameSync(join(cwd, 'run'), join(cwd, 'runs', '0001'));
    symlinkSync('0001', join(cwd, 'runs', 'latest'));
    const { stdout } = await runCli(cwd, ['open', '--run', 'runs/latest']);
    expect(stdout).toBe(`${join(realpathSync(cwd), 'runs', '0001', 'page.html')}\n`);
    expect(runIn(stdout.trim())?.name).toBe('0001');
    await runCli(cwd, ['open', '--run', 'runs/0001/best.safetensors', '--out', 'best.html']);
    const best = loadCheckpoint(join(cwd, 'runs', '0001', 'best.safetensors'));
    expect(runIn(join(cwd, 'best.html'))).toMatchObject({ name: '0001', step: best.state.step });
  });

  it('holds no names when the run was trained on those of the program', async () => {
    const cwd = tempDirectory();
    await runCli(cwd, ['train', '--steps', '5', '--hidden', '4', '--embedding', '2', '--out', 'run']);
    expect((await runCli(cwd, ['open', '--run', 'run', '--print'])).stderr).toBe('');
    expect(runIn(join(cwd, 'run', 'page.html'))?.names).toBeNull();
  });

  it('replaces the page that it wrote before, but no other file without --force', async () => {
    const cwd = copyOfRun();
    for (let time = 0; time < 2; time++) expect(await runCli(cwd, ['open', '--run', 'run'])).toMatchObject({ exitCode: 0 });
    put(cwd, 'run/page.html', 'mine');
    expectRefusal(await runCli(cwd, ['open', '--run', 'run']), 2, '--run: run/page.html exists; --force replaces it');
    expect(readFileSync(join(cwd, 'run', 'page.html'), 'utf8')).toBe('mine');
    expect(await runCli(cwd, ['open', '--run', 'run', '--force'])).toMatchObject({ exitCode: 0 });
  });

  it('refuses a network of more blocks, with the way out', async () => {
    const cwd = tempDirectory();
    await trainSmall(cwd, '--hidden', '6,5');
    expectRefusal(
      await runCli(cwd, ['open', '--run', 'run']),
      2,
      'run has 2 blocks, the page shows a network of one; train one: backprop-ninja train --hidden 200',
    );
  });

  it('needs the data set of the run: another one is refused, a moved one is named with --data', async () => {
    const cwd = copyOfRun();
    renameSync(join(cwd, 'names.txt'), join(cwd, 'moved.txt'));
    expectRefusal(await runCli(cwd, ['open', '--run', 'run']), 4, 'if the data set was moved, name it with --data');
    put(cwd, 'other.txt', `${NAMES.slice(1).join('\n')}\n`);
    expectRefusal(await runCli(cwd, ['open', '--run', 'run', '--data', 'other.txt']), 3, 'is not the data set of the run');
    expect(await runCli(cwd, ['open', '--run', 'run', '--data', 'moved.txt'])).toMatchObject({ exitCode: 0 });
    expectRefusal(await runCli(cwd, ['open', '--data', 'moved.txt']), 2, '--data goes with --run');
  });

  it('refuses what is no run, and a page without a place for one', async () => {
    const cwd = copyOfRun();
    expectRefusal(await runCli(cwd, ['open', '--run', 'none']), 4, 'cannot read none: no such run directory or checkpoint');
    put(dirname(paths.page), 'page.html', '<p>old</p>');
    expectRefusal(await runCli(cwd, ['open', '--run', 'run']), 3, 'it has no place for the data of a run; build it again: npm run build');
  });

  it('that cannot be written to is shown with --out', () => {
    const cwd = copyOfRun();
    chmodSync(join(cwd, 'run'), 0o555);
    const open = (...argv: string[]) => ninja(cwd, ['open', '--run', 'run', '--print', ...argv], { withPermissions: true });
    expectRefusal(open(), 4, 'cannot write run/page.html: permission denied');
    expect(open('--out', 'page.html')).toMatchObject({ exitCode: 0, stdout: `${join(cwd, 'page.html')}\n` });
  });
});
