/**
 * Builds after `npm ci` in a checkout. Without the development packages it says what to do, and keeps a dist/ that is already there.
 * Run: npm run prepare
 */
import { spawnSync } from 'node:child_process';
import { isThere, missingTools } from './tools.js';

const missing = missingTools();
if (missing.length === 0) {
  const { status } = spawnSync('npm', ['run', 'build'], { stdio: 'inherit', shell: process.platform === 'win32' });
  process.exit(status ?? 1);
}
const isBuilt = isThere('dist/cli/main.js');
process.stderr.write(
  isBuilt
    ? 'note: without the development packages nothing is built; dist/ stays as it is\n'
    : `error: without the development packages (${missing.join(', ')}) nothing can be built, and there is no dist/. Run: npm ci --include=dev\n`,
);
process.exit(isBuilt ? 0 : 1);
