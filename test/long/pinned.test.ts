import { it } from 'vitest';
import { expectPinned, PINNED_BLOCKS } from '../support/pinnedRuns.js';

it('the bytes of a run are pinned for three blocks', () => expectPinned(PINNED_BLOCKS));
