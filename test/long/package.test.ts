// The published package: packed from a copy of the sources, installed into an empty folder, and run there in processes.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, statSync, symlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { HANGS } from '../support/child.js';
import { makeDirectory, put, removeDirectory, tempDirectory } from '../support/tempDirectory.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const MODULES = join(ROOT, 'node_modules');
const PACKAGE = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
const LEFT_OUT = ['node_modules', '.git', 'runs', 'coverage', 'test', 'bench', 'docs'];

/** On Windows, npm is a script that only a shell runs. */
const shell = process.platform === 'win32';

let directory: string;
/** The folder with the installed package. */
let app: string;
/** Paths of the tarball's files. */
let packed: string[];

beforeAll(() => {
  directory = makeDirectory();
  const sources = join(directory, 'sources');
  cpSync(ROOT, sources, { recursive: true, filter: (path) => !LEFT_OUT.includes(basename(path)) });
  symlinkSync(MODULES, join(sources, 'node_modules'), 'junction');
  // The build is that before the tests; `npm run package` packs a new build.
  npm(sources, 'pack', '--ignore-scripts', '--pack-destination', directory);
  const tarball = readdirSync(directory).find((name) => name.endsWith('.tgz')) as string;
  packed = execFileSync('tar', ['-tzf', tarball], { cwd: directory, encoding: 'utf8' })
    .trim()
    .split('\n')
    .map((path) => path.replace(/^package\//, ''));
  app = join(directory, 'app');
  mkdirSync(app);
  put(app, 'package.json', '{"private":true,"type":"module"}');
  // The dependencies come from this checkout, so that the test needs no network.
  const dependencies = Object.keys(PACKAGE.dependencies).map((name) => join(MODULES, name));
  npm(app, 'install', '--offline', '--no-audit', '--no-fund', join(directory, tarball), ...dependencies);
  return () => removeDirectory(directory);
});

function npm(cwd: string, ...argv: string[]): void {
  const { status, stdout, stderr } = spawnSync('npm', argv, { cwd, encoding: 'utf8', shell });
  if (status !== 0) throw new Error(`npm ${argv[0]} ended with ${status}:\n${stdout}${stderr}`);
}

const BINARY = join('node_modules', 'backprop-ninja', ...PACKAGE.bin['backprop-ninja'].split('/'));

/** Runs the installed binary in a directory. */
function ninja(cwd: string, ...argv: string[]): { status: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(app, BINARY), ...argv], { cwd, encoding: 'utf8', timeout: HANGS });
  return { status, stdout, stderr };
}

const QUICK = ['--steps', '100', '--hidden', '8', '--embedding', '4'];

describe('the tarball', () => {
  it('holds what a user needs', () => {
    for (const file of ['package.json', 'README.md', 'LICENSE'].filter((name) => existsSync(join(ROOT, name))))
      expect(packed).toContain(file);
    for (const file of [
      'data/names.txt',
      'data/README.md',
      'dist/kernels.wasm',
      'dist/kernelsShared.wasm',
      'dist/index.js',
      'dist/index.d.ts',
      'dist/cli/main.js',
      'dist/page.html',
      'dist/report.html',
      'bin/backprop-ninja.js',
      'examples/layerNorm.ts',
      'python/ninja.py',
      'python/backprop_ninja.py',
    ]) {
      expect(packed).toContain(file);
    }
  });

  it('holds nothing else', () => {
    const expected = [
      /^package\.json$/,
      /^(README|CHANGELOG|LICENSE)(\.md)?$/,
      /^data\/(names\.txt|README\.md)$/,
      /^bin\/backprop-ninja\.js$/,
      /^python\/(ninja|backprop_ninja)\.py$/,
      /^examples\/layerNorm\.ts$/,
      /^dist\/.+\.(js|d\.ts|wasm)$/,
      /^dist\/(page|report)\.html$/,
      /^dist\/gradcheck\.(cjs|d\.cts)$/,
    ];
    expect(packed.filter((path) => !expected.some((pattern) => pattern.test(path)))).toEqual([]);
  });

  it('is below 2 MB', () => {
    const [tarball] = readdirSync(directory).filter((name) => name.endsWith('.tgz'));
    expect(statSync(join(directory, tarball)).size).toBeLessThan(2_000_000);
  });

  it('has a declaration and a source for every script of the library', () => {
    // The command line is bundled, and nothing imports it.
    const scripts = packed.filter((path) => path.endsWith('.js') && path.startsWith('dist/') && !path.startsWith('dist/cli/'));
    const declarations = packed.filter((path) => path.endsWith('.d.ts'));
    expect(declarations).toEqual(expect.arrayContaining(scripts.map((path) => path.replace(/\.js$/, '.d.ts'))));
    const sources = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' }).map((path) => path.replaceAll('\\', '/'));
    expect(scripts.filter((path) => !sources.includes(path.replace(/^dist\/(.*)\.js$/, '$1.ts')))).toEqual([]);
  });

  it('states the Node version that it needs', () => {
    const installed = JSON.parse(readFileSync(join(app, 'node_modules', 'backprop-ninja', 'package.json'), 'utf8'));
    expect(installed).toMatchObject({ name: 'backprop-ninja', type: 'module', engines: { node: '>=20.19' } });
  });
});

describe('a checkout', () => {
  /** A checkout without what the function leaves out. */
  function checkout(...names: string[]): string {
    const directory = tempDirectory();
    for (const name of ['package.json', 'bin', 'scripts', ...names]) cpSync(join(ROOT, name), join(directory, name), { recursive: true });
    mkdirSync(join(directory, 'node_modules', '.bin'), { recursive: true });
    for (const name of ['jiti', '.bin/jiti']) symlinkSync(join(MODULES, name), join(directory, 'node_modules', name));
    return directory;
  }
  const tryNpm = (cwd: string, ...argv: string[]) => spawnSync('npm', argv, { cwd, encoding: 'utf8', shell, timeout: HANGS });

  // npx links to this folder once, and gives the bit only then.
  it.skipIf(process.platform === 'win32')('has an executable program, so that npx runs it', () => {
    expect(statSync(join(ROOT, PACKAGE.bin['backprop-ninja'])).mode & 0o111).toBe(0o111);
  });

  it('that is not built says so, as after npm ci --ignore-scripts', () => {
    const cwd = checkout();
    const message = 'error: dist/ is missing or incomplete; run: npm run build\n';
    const { status, stderr } = spawnSync(process.execPath, [join(cwd, PACKAGE.bin['backprop-ninja']), '--version'], { encoding: 'utf8' });
    expect({ status, stderr }).toEqual({ status: 4, stderr: message });
    expect(tryNpm(cwd, 'start').stderr).toContain(message);
  });

  it('without its development packages keeps its dist/, as after npm ci --omit=dev', () => {
    const cwd = checkout();
    put(cwd, 'dist/cli/main.js', 'old');
    const prepared = tryNpm(cwd, 'run', 'prepare');
    expect(prepared.stderr).toContain('note: without the development packages nothing is built; dist/ stays as it is');
    expect(prepared.status).toBe(0);
    const built = tryNpm(cwd, 'run', 'build');
    expect(built.stderr).toContain('error: cannot build without assemblyscript, typescript, rolldown; dist/ stays as it is');
    expect(built.status).not.toBe(0);
    expect(readFileSync(join(cwd, 'dist/cli/main.js'), 'utf8')).toBe('old');
  });

  it('without its development packages and without dist/ says what to do', () => {
    const { status, stderr } = tryNpm(checkout(), 'run', 'prepare');
    expect(status).not.toBe(0);
    expect(stderr).toContain('there is no dist/. Run: npm ci --include=dev');
  });
});

describe('the binary', () => {
  it('is linked by npm, and prints help and version', () => {
    expect(existsSync(join(app, 'node_modules', '.bin', 'backprop-ninja'))).toBe(true);
    const linked = spawnSync(join(app, 'node_modules', '.bin', 'backprop-ninja'), ['--version'], { encoding: 'utf8', shell });
    expect(linked.stdout).toBe(`${PACKAGE.version}\n`);
    const { status, stdout, stderr } = ninja(app, '--help');
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(/^Usage: backprop-ninja/);
  });

  it('trains on the names that come with it, evaluates and samples', () => {
    const cwd = tempDirectory();
    const trained = ninja(cwd, 'train', ...QUICK, '--json');
    expect(trained.status).toBe(0);
    const report = JSON.parse(trained.stdout);
    expect(readdirSync(join(cwd, 'runs', '0001')).sort()).toEqual([
      'best.safetensors',
      'checkpoint.safetensors',
      'metrics.jsonl',
      'run.json',
    ]);
    const evaluated = ninja(cwd, 'eval', '--json');
    expect(evaluated.status).toBe(0);
    expect(JSON.parse(evaluated.stdout).loss).toBe(report.valLoss);
    expect(ninja(cwd, 'sample')).toEqual({ status: 0, stdout: `${report.samples.join('\n')}\n`, stderr: '' });
  });

  it.each([
    [['train', '--steps', '0'], 2],
    [['train', '--data', 'none.txt'], 4],
    [['sample'], 4],
  ])('%j exits with %i', (argv, exitCode) => {
    const { status, stdout, stderr } = ninja(tempDirectory(), ...argv);
    expect({ status, stdout }).toEqual({ status: exitCode, stdout: '' });
    expect(stderr).toMatch(/^error: [^\n]+\n$/);
  });

  it('ends quietly, with 0, when its reader closes the pipe', async () => {
    const cwd = tempDirectory();
    ninja(cwd, 'train', '--data', put(cwd, 'names.txt', 'anna\nbob\ncarl\ndora\nemil\nfritz\n'), ...QUICK);
    const child = spawn(process.execPath, [join(app, BINARY), 'sample', '--count', '1000000'], { cwd, timeout: HANGS });
    let stderr = '';
    child.stderr.on('data', (chunk) => {
      stderr += chunk;
    });
    child.stdout.once('data', () => child.stdout.destroy());
    const ended = await new Promise((resolve) => {
      child.on('close', (status, signal) => resolve({ status, signal }));
    });
    expect({ ended, stderr }).toEqual({ ended: { status: 0, signal: null }, stderr: '' });
  });
});

describe('the page', () => {
  // Without a display: no test starts a browser.
  const env = { ...process.env, DISPLAY: '', WAYLAND_DISPLAY: '', BROWSER: 'none' };
  const open = (...argv: string[]) => {
    const { status, stdout } = spawnSync(process.execPath, [join(app, BINARY), 'open', ...argv], { cwd: app, encoding: 'utf8', env });
    return { status, file: stdout.trim() };
  };

  it('is in the package, and its path is printed', () => {
    const { status, file } = open();
    expect({ status, file }).toEqual({ status: 0, file: join(realpathSync(app), 'node_modules', 'backprop-ninja', 'dist', 'page.html') });
    expect(readFileSync(file, 'utf8')).toContain('<script type="application/json" id="run-data">null</script>');
  });

  it('is written with a run in it', () => {
    ninja(app, 'train', ...QUICK, '--out', 'shown');
    const { status, file } = open('--run', 'shown');
    expect({ status, file }).toEqual({ status: 0, file: join(realpathSync(app), 'shown', 'page.html') });
    expect(readFileSync(file, 'utf8')).toContain('<script type="application/json" id="run-data">{"name":"shown",');
  });

  it('finds the package that opens the browser, as its script xdg-open lies there', () => {
    expect(existsSync(join(app, 'node_modules', 'open', 'xdg-open'))).toBe(true);
  });
});

describe('the dojo', () => {
  it('is created by the command that a newcomer types, and marks a row right once its line is written', () => {
    // npm's own warnings about its configuration are left out.
    const env = { ...process.env, npm_config_loglevel: 'silent' };
    const started = spawnSync('npx', ['backprop-ninja', 'exercise', 'start'], { cwd: app, encoding: 'utf8', shell, env, timeout: HANGS });
    expect(started).toMatchObject({ status: 0, stderr: '' });
    expect(readdirSync(join(app, 'dojo')).sort()).toEqual([
      'README.md',
      ...[1, 2, 3, 4].map((number) => `exercise${number}.ts`),
      'tsconfig.json',
    ]);
    const stub = readFileSync(join(app, 'dojo', 'exercise1.ts'), 'utf8');
    const line = '({ probs, dlogprobs }) => todo()';
    expect(stub).toContain(`dprobs: ${line}`);
    put(app, 'dojo/exercise1.ts', stub.replace(line, '({ probs, dlogprobs }) => dlogprobs.div(probs)'));
    const checked = ninja(app, 'exercise', 'check', '1');
    expect({ status: checked.status, stderr: checked.stderr }).toEqual({ status: 1, stderr: '' });
    expect(checked.stdout).toMatch(/^✓ dprobs +\[32, 27\] +(yes|no) +yes /m);
    expect(checked.stdout).toContain('1 of 26 right; next: dlogprobs\n');
    expect(ninja(app, 'exercise', 'hint', '1').stdout).toContain('A mean of chosen entries.');
    expect(ninja(app, 'exercise', 'solution', '1', 'dprobs').stdout).toBe(
      'dprobs: ({ probs, dlogprobs }) => probs.pow(-1).mul(dlogprobs)\n',
    );
    expect(ninja(app, 'exercise', 'solution', '1')).toMatchObject({ status: 2, stdout: '' });
  });

  it('prints every solution, which then type-checks and passes', () => {
    for (const number of ['1', '2', '3', '4']) {
      const solution = ninja(app, 'exercise', 'solution', number, '--force');
      expect({ status: solution.status, stderr: solution.stderr }).toEqual({ status: 0, stderr: '' });
      put(app, `dojo/exercise${number}.ts`, solution.stdout);
    }
    const types = spawnSync(process.execPath, [join(MODULES, 'typescript', 'bin', 'tsc'), '-p', 'dojo'], { cwd: app, encoding: 'utf8' });
    expect(types.stdout).toBe('');
    for (const [number, rows] of [
      ['1', 26],
      ['2', 1],
      ['3', 1],
    ] as const) {
      const { status, stdout, stderr } = ninja(app, 'exercise', 'check', number);
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
      expect(stdout.match(/^✓/gm)).toHaveLength(rows);
    }
  });
});

/** For each entry: some values that it exports, and a strict consumer of its types. */
const ENTRIES = [
  {
    entry: 'backprop-ninja',
    values: ['Tensor', 'Training', 'gradCheck', 'lesson', 'parseCheckpoint', 'safetensors', 'softmax', 'todo', 'wasmBackend'],
    consumer: `import { type Backend, createReferenceBackend, type Dataset, type Exercise1, gradCheck, lesson, randomStream, type RunConfig, Sampler, safetensors, Tensor, Training, type TrainingState, wasmBackend } from 'backprop-ninja';
      export const tensor: Tensor = Tensor.of([1, 2, 3]);
      export const backend: Backend = createReferenceBackend('float64');
      export const next: number = randomStream('split', 1)();
      export const seed = (config: RunConfig): number => config.seed;
      export const vocabulary = (dataset: Dataset): readonly string[] => dataset.vocabulary;
      export const state = (training: Training): TrainingState => training.state;
      export const dC = (exercise: Exercise1, values: lesson.LessonValues): Tensor => exercise.dC({ ...values, ...lesson.backward(values) });
      export const rows: gradCheck.CheckRow[] = gradCheck.checkPart('backend', { ...gradCheck.CHECK_DEFAULTS, seed: 1 }, wasmBackend({}));
      export const file = (bytes: Uint8Array): safetensors.Safetensors => safetensors.readSafetensors(bytes);
      export type Both = [Sampler, Training];`,
  },
  {
    entry: 'backprop-ninja/node',
    values: ['BUNDLED_NAMES', 'Session', 'checkFile', 'createWasmBackend', 'loadCheckpoint', 'readMetrics', 'readNamesFile', 'sha256'],
    consumer: `import type { Backend, Checkpoint, MetricsRecord, NameList } from 'backprop-ninja';
      import { BUNDLED_NAMES, type CheckSignal, checkFile, createWasmBackend, type ExerciseReport, loadCheckpoint, readMetrics, readNamesFile, Session } from 'backprop-ninja/node';
      export const names: NameList = readNamesFile(BUNDLED_NAMES).names;
      export const backend: Backend = createWasmBackend({ arrays: 1, entries: 1, workspace: 0 });
      export const checkpoint = (path: string): Checkpoint => loadCheckpoint(path);
      export const records = (path: string): MetricsRecord[] => readMetrics(path).records;
      export const report = (signal: CheckSignal): Promise<ExerciseReport> => checkFile('exercise1.ts', 1, { signal });
      export const step = (session: Session): number => session.step;`,
  },
  {
    entry: 'backprop-ninja/gradcheck',
    values: ['checkAgainst', 'checkLayer', 'checkPart', 'defineLayer', 'gradientMatchers'],
    consumer: `import { createReferenceBackend, safetensors } from 'backprop-ninja';
      import { type AgainstReport, assertGradients, CHECK_DEFAULTS, type CheckRow, checkAgainst, checkLayer, checkPart, fromClass, type Layer, type LayerReport, type Part } from 'backprop-ninja/gradcheck';
      class Double { forward(x: number): number { return 2 * x; } backward(dy: number): number { return 2 * dy; } }
      export const layer: Layer = fromClass({ sizes: { n: [1, 2] }, create: ({ n }) => new Double(), input: ({ n }, draw): number => n * draw.normal() });
      export const report: Promise<LayerReport> = checkLayer(layer, { seed: 1 });
      export const done: Promise<void> = assertGradients(layer);
      export const rows = (part: Part): CheckRow[] => checkPart(part, { ...CHECK_DEFAULTS, seed: 1 }, () => createReferenceBackend('float32'));
      export const against = (bytes: Uint8Array): AgainstReport => checkAgainst(safetensors.readSafetensors(bytes));`,
  },
  {
    entry: 'backprop-ninja/dojo',
    values: ['Tensor', 'TodoError', 'softmax', 'todo'],
    consumer: `import { type Exercise2, softmax, type Tensor, todo } from 'backprop-ninja/dojo';
      export const probs = (logits: Tensor): Tensor => softmax(logits);
      const exercise2: Exercise2 = { dlogits: ({ logits, Yb, n }) => (n > Yb.shape.length ? logits.mul(2) : todo()) };
      export default exercise2;`,
  },
];

describe('the library', () => {
  it('trains, and checks gradients, in a script of a user', () => {
    put(
      app,
      'script.js',
      `import { createReferenceBackend, createModel, parameterNames, Tensor, UsageError } from 'backprop-ninja';
      import { createWasmBackend } from 'backprop-ninja/node';
      import { CHECK_DEFAULTS, checkPart } from 'backprop-ninja/gradcheck';
      const model = createModel(createReferenceBackend('float32'), { context: 3, embedding: 10, hidden: [64], vocabulary: 27 });
      const rows = checkPart('backend', { ...CHECK_DEFAULTS, seed: 1 }, createWasmBackend);
      console.log(JSON.stringify([model.flatParameters.length, parameterNames(model.config), [...Tensor.of([1, 2]).data], new UsageError('x').name, rows.every(({ ok }) => ok)]));`,
    );
    const { stdout, stderr } = runScript('script.js');
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toEqual([4137, ['C', 'W1', 'b1', 'bngain', 'bnbias', 'W2', 'b2'], [1, 2], 'UsageError', true]);
  });

  it.each(ENTRIES)('can be imported as $entry', ({ entry, values }) => {
    put(app, 'entry.js', `import * as entry from '${entry}';\nconsole.log(JSON.stringify(Object.keys(entry)));`);
    const { stdout, stderr } = runScript('entry.js');
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toEqual(expect.arrayContaining(values));
  });

  it('can be required as backprop-ninja/gradcheck, with the same exports, as one file without dependencies', () => {
    const file = join(app, 'node_modules', 'backprop-ninja', 'dist', 'gradcheck.cjs');
    put(
      app,
      'required.cjs',
      `const required = require('backprop-ninja/gradcheck');
      const { f, d } = { f: (x) => x * x, d: (x) => 2 * x };
      import('backprop-ninja/gradcheck').then(async (imported) => {
        const { ok } = await imported.checkLayer(required.fromActivation(f, d, { of: 'input' }));
        console.log(JSON.stringify([Object.keys(required).sort(), Object.keys(imported).sort(), require.resolve('backprop-ninja/gradcheck'), ok]));
      });`,
    );
    const { stdout, stderr } = runScript('required.cjs');
    expect(stderr).toBe('');
    const [required, imported, path, ok] = JSON.parse(stdout);
    expect({ required, path, ok }).toEqual({ required: imported, path: file, ok: true });
    expect(readFileSync(file, 'utf8')).not.toMatch(/\brequire\(/);
  });

  it('exports nothing else', () => {
    expect(Object.keys(PACKAGE.exports)).toEqual(['.', './node', './gradcheck', './dojo', './package.json']);
    put(app, 'inside.js', `import 'backprop-ninja/dist/cli/main.js';`);
    const { status, stderr } = runScript('inside.js');
    expect(status).toBe(1);
    expect(stderr).toContain('ERR_PACKAGE_PATH_NOT_EXPORTED');
  });

  it.each(ENTRIES)('has types that a strict consumer of $entry can check', ({ consumer }) => {
    // Neither the types of Node nor those of a browser are needed. The consumer reads the declarations as strictly as its own code.
    expect(compile('consumer.ts', consumer)).toBe('');
  });

  it('has types that reject wrong use', () => {
    expect(compile('wrong.ts', `import { Tensor } from 'backprop-ninja';\nexport const wrong: number = Tensor.of([1]);`)).toContain(
      "wrong.ts(2,14): error TS2322: Type 'Tensor' is not assignable to type 'number'",
    );
  });
});

function runScript(name: string): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [name], { cwd: app, encoding: 'utf8', timeout: HANGS });
}

/** The compiler's messages about a TypeScript file of a user's project. */
function compile(name: string, source: string): string {
  put(app, name, source);
  const compilerOptions = {
    ...{ noEmit: true, strict: true, exactOptionalPropertyTypes: true, module: 'NodeNext', moduleResolution: 'NodeNext' },
    ...{ target: 'ES2023', lib: ['ES2023'], types: [], skipLibCheck: false },
  };
  put(app, 'tsconfig.json', JSON.stringify({ compilerOptions, files: [name] }));
  return spawnSync(process.execPath, [join(MODULES, 'typescript', 'bin', 'tsc'), '-p', app], { encoding: 'utf8', timeout: HANGS }).stdout;
}
