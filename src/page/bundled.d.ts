/** What scripts/bundlePage.ts puts into the bundles: the page is one file that loads nothing. */

/** dist/kernels.wasm in base64. */
declare module 'bundled:kernels' {
  const base64: string;
  export default base64;
}

/** The version in package.json. */
declare module 'bundled:version' {
  const version: string;
  export default version;
}

/** data/names.txt. */
declare module 'bundled:names' {
  const text: string;
  export default text;
}

/** The lines of the bank of mistakes, by name, as JSON. */
declare module 'bundled:mistakes' {
  const json: string;
  export default json;
}

/** src/page/engine/worker.ts as the source of a classic worker. */
declare module 'bundled:engine' {
  const source: string;
  export default source;
}

/** src/page/learner/worker.ts as the first part of the source of a classic worker; a learner's lines follow it. */
declare module 'bundled:learner' {
  const source: string;
  export default source;
}
