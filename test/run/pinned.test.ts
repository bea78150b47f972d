// The bytes of runs must not change: the lesson's recipe, AdamW; a deep network in test/long/pinned.test.ts.
import { it } from 'vitest';
import { expectPinned, PINNED_RUNS } from '../support/pinnedRuns.js';

it.each(PINNED_RUNS)('the bytes of a run are pinned for $name', (run) => expectPinned(run));
