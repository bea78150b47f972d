#!/usr/bin/env node
// Loads the built program. In a checkout it may be missing, for example after `npm ci --ignore-scripts`.
import('../dist/cli/main.js').catch((error) => {
  if (error.code !== 'ERR_MODULE_NOT_FOUND') throw error;
  process.stderr.write('error: dist/ is missing or incomplete; run: npm run build\n');
  process.exit(4);
});
