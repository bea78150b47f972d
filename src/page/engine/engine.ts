/** The computations of the page: a thin face of the core. Each is a pure function of its arguments, or a generator that yields progress. */

import { exerciseMethods } from './exercises.js';
import { huntMethods } from './hunt.js';
import { liveMethods } from './live.js';
import { mistakeMethods } from './mistakes.js';
import { namesMethods } from './names.js';
import { passMethods } from './pass.js';
import { proofMethods } from './proof.js';
import { runMethods } from './run.js';
import { whyMethods } from './why.js';

export const ENGINE = {
  ...exerciseMethods,
  ...huntMethods,
  ...liveMethods,
  ...mistakeMethods,
  ...namesMethods,
  ...passMethods,
  ...whyMethods,
  ...proofMethods,
  ...runMethods,
};
export type Engine = typeof ENGINE;
