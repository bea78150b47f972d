/** Paths of the package's files. Only this module knows the layout of the package. */
import { fileURLToPath } from 'node:url';

/** A path in the package's directory: this module is src/node/paths.ts, or dist/node/paths.js once built. */
const inPackage = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));

export const PACKAGE_JSON = inPackage('package.json');
/** The built command line. */
export const MAIN = inPackage('dist/cli/main.js');
/** The compiled kernels. */
export const KERNELS = inPackage('dist/kernels.wasm');
/** The module that a learner's file imports: this program's own copy, so that the folder needs no node_modules. It has no solutions. */
export const LEARNER_ENTRY = inPackage('dist/dojo.js');
/** The types of that module. */
export const LEARNER_TYPES = inPackage('dist/dojo.d.ts');
/** The names that come with the package. */
export const BUNDLED_NAMES = inPackage('data/names.txt');
