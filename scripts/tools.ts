import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const TOOLS = ['assemblyscript', 'typescript', 'rolldown'];

/** Whether a path in the checkout exists. */
export function isThere(path: string): boolean {
  return existsSync(fileURLToPath(new URL(`../${path}`, import.meta.url)));
}

/** The packages that build dist/ and are not installed. */
export function missingTools(): string[] {
  return TOOLS.filter((name) => !isThere(`node_modules/${name}`));
}
