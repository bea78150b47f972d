/** Paths of the package's files. Only this module knows how the package is laid out on the disk. */
import { fileURLToPath } from 'node:url';

/** A path in the package's directory: this module is src/node/paths.ts, dist/node/paths.js, or bundled in a file in dist/cli/. */
const inPackage = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));

export const PACKAGE_JSON = inPackage('package.json');
/** The program, as users start it. */
export const MAIN = inPackage('bin/backprop-ninja.js');
/** The compiled kernels. */
export const KERNELS = inPackage('dist/kernels.wasm');
/** The kernels for memory that several threads share, and a helper's thread, as built. */
export const SHARED_KERNELS = inPackage('dist/kernelsShared.wasm');
export const KERNELS_HELPER = inPackage('dist/node/helper.js');
/** The page, as built: one HTML file. */
export const PAGE = inPackage('dist/page.html');
/** The report without runs, as built: one HTML file. */
export const REPORT = inPackage('dist/report.html');
/** The thread that watches a guest's process, as built. */
export const GUEST_WATCHDOG = inPackage('dist/node/guest/watchdog.js');
/** The process in which a learner's file runs, as built, and the library that the file imports. */
export const LEARNER_PROCESS = inPackage('dist/node/learner/worker.js');
export const LEARNER_LIBRARY = inPackage('dist/dojo.js');
/** The process in which the layers of a file are checked, as built. */
export const LAYERS_PROCESS = inPackage('dist/node/layers/worker.js');
/** The library, as built, by the names under which a file imports it. */
export const LIBRARY: Readonly<Record<string, string>> = {
  'backprop-ninja': inPackage('dist/index.js'),
  'backprop-ninja/dojo': LEARNER_LIBRARY,
  'backprop-ninja/gradcheck': inPackage('dist/gradcheck.js'),
  'backprop-ninja/node': inPackage('dist/node.js'),
};
/** A specification of a layer to start from. */
export const LAYER_EXAMPLE = inPackage('examples/layerNorm.ts');
/** What a Python notebook imports, and the notebook itself in the percent format. */
export const NINJA_PY = inPackage('python/ninja.py');
export const NOTEBOOK_PY = inPackage('python/backprop_ninja.py');
/** Types for the imports of a learner's file. */
export const LEARNER_TYPES = inPackage('dist/dojo.d.ts');
/** The names that come with the package. */
export const BUNDLED_NAMES = inPackage('data/names.txt');
