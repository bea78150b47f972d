// Writes docs/cli.md. Run: npm run docs
import { writeFileSync } from 'node:fs';
import { cliDocs } from './cliDocs.js';

writeFileSync(new URL('../docs/cli.md', import.meta.url), await cliDocs());
