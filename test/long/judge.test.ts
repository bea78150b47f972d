import { describe } from 'vitest';
import { expectReports } from '../support/oddResults.js';

/** A line of each kind: entry by entry, gathered, a product of matrices, and the closed forms. */
describe.each([
  [1, 'dprobs'],
  [1, 'dC'],
  [1, 'dW1'],
  [2, 'dlogits'],
  [3, 'dhprebn'],
] as const)('any result gets a report: Exercise %i, %s', expectReports);
