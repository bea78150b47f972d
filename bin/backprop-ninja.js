#!/usr/bin/env node
// Loads the built program. In a checkout it may be missing, for example after `npm ci --ignore-scripts`.
import('../dist/cli/main.js').catch((error) => {
  if (!error.syscall && error.code !== 'ERR_MODULE_NOT_FOUND') throw error;
  const reason = error.syscall ? `cannot load the program: ${error.message}` : 'dist/ is missing or incomplete; run: npm run build';
  process.stderr.write(`error: ${reason}\n`);
  process.exit(4);
});
