/**
 * Checks, before dist/ is deleted, that the packages that build it are installed: `npm ci --omit=dev` leaves them out.
 * Run: jiti scripts/checkTools.ts; exit code 1 if one is missing
 */
import { missingTools } from './tools.js';

const missing = missingTools();
if (missing.length > 0) {
  process.stderr.write(`error: cannot build without ${missing.join(', ')}; dist/ stays as it is. Run: npm ci --include=dev\n`);
  process.exit(1);
}
