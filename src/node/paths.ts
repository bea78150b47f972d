/** Where the package's files are: the only place that knows how the package is laid out on the disk. */
import { fileURLToPath } from 'node:url';

/** The package's directory: this module is src/node/paths.ts, or dist/node/paths.js. */
const inPackage = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));

export const PACKAGE_JSON = inPackage('package.json');
/** The program as it is built. */
export const MAIN = inPackage('dist/cli/main.js');
export const KERNELS = inPackage('dist/kernels.wasm');
/** Types of what a learner's file imports. */
export const LEARNER_TYPES = inPackage('dist/dojo.d.ts');
/** The bundled names. */
export const BUNDLED_NAMES = inPackage('data/names.txt');
