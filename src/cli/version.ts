import { readFileSync } from 'node:fs';
import { PACKAGE_JSON } from '../node/paths.js';

/** The version in package.json. */
export function programVersion(): string {
  return (JSON.parse(readFileSync(PACKAGE_JSON, 'utf8')) as { version: string }).version;
}
