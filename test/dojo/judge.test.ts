// Results that no line of the lesson returns: whatever a process sends, the judge gives a report. test/long/judge.test.ts has more lines.
import { describe } from 'vitest';
import { expectReports } from '../support/oddResults.js';

describe.each(['db1', 'dbnvar'] as const)('any result gets a report: Exercise 1, %s', (name) => expectReports(1, name));
