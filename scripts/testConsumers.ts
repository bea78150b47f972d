/**
 * Tries the package as vitest, jest and node:test load it, and the networks that it exports in onnxruntime: packs it, installs the tarball into
 * a copy of each package in test/consumers/, and runs its tests. Of a package that has them, the types of its TypeScript files are checked, and
 * the report of its failing tests. Run: npm run test:consumers [package]
 */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
/** In the report that a failing test shows. */
const REPORT = ['scale: dx is wrong', 'yours is 2 times the right gradient'];
/** The package to try; by default all. */
const only = process.argv.at(2);
/** Ends a hang: each step takes a few seconds. */
const HANGS = 300_000;

// Outside the checkout, whose node_modules the consumers would find otherwise.
const directory = mkdtempSync(join(tmpdir(), 'consumers-'));
try {
  process.exitCode = testAll() ? 0 : 1;
} finally {
  rmSync(directory, { recursive: true, force: true });
}

function testAll(): boolean {
  run(ROOT, 'npm', 'pack', '--ignore-scripts', '--silent', '--pack-destination', directory);
  const tarball = join(directory, readdirSync(directory)[0]);
  const consumers = join(directory, 'consumers');
  cpSync(join(ROOT, 'test', 'consumers'), consumers, { recursive: true, filter: (path) => basename(path) !== 'node_modules' });
  const packages = readdirSync(consumers, { withFileTypes: true }).filter(
    (entry) => entry.isDirectory() && (only === undefined || entry.name === only),
  );
  return packages.map(({ name }) => testConsumer(name, join(consumers, name), tarball)).every(Boolean);
}

function testConsumer(name: string, cwd: string, tarball: string): boolean {
  const start = Date.now();
  run(cwd, 'npm', 'install', '--no-save', '--prefer-offline', '--no-audit', '--no-fund', tarball);
  const { scripts } = JSON.parse(readFileSync(join(cwd, 'package.json'), 'utf8'));
  const checks: [what: string, ok: boolean, output: string][] = [];
  if (existsSync(join(cwd, 'tsconfig.json'))) {
    const { status, output } = attempt(cwd, process.execPath, join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc'));
    checks.push(['types', status === 0, output]);
  }
  const passed = attempt(cwd, 'npm', 'test');
  checks.push(['passing tests', passed.status === 0, passed.output]);
  if ('fail' in scripts) {
    const { status, output } = attempt(cwd, 'npm', 'run', 'fail');
    checks.push(['report of a failing test', status !== 0 && REPORT.every((text) => output.includes(text)), output]);
  }
  for (const [what, ok, output] of checks) process.stdout.write(`${ok ? '✓' : '✗'} ${name}: ${what}\n${ok ? '' : output}`);
  process.stdout.write(`  ${((Date.now() - start) / 1000).toFixed(1)} s\n`);
  return checks.every(([, ok]) => ok);
}

function attempt(cwd: string, command: string, ...argv: string[]): { status: number | null; output: string } {
  const shell = process.platform === 'win32' && command === 'npm';
  const env = { ...process.env, NO_COLOR: '1', FORCE_COLOR: '' };
  const { status, stdout, stderr } = spawnSync(command, argv, { cwd, encoding: 'utf8', shell, env, timeout: HANGS });
  return { status, output: `${stdout}${stderr}` };
}

function run(cwd: string, command: string, ...argv: string[]): void {
  const { status, output } = attempt(cwd, command, ...argv);
  if (status !== 0) throw new Error(`${[command, ...argv].join(' ')} ended with ${status}:\n${output}`);
}
