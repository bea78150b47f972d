/** Validates a stored diagnosis. Its own file, so that a user's compiler does not read the types of valibot. */
import * as v from 'valibot';
import { count } from '../training/runConfigSchema.js';

const spread = v.object({
  mean: v.nullable(v.number()),
  std: v.nullable(v.number()),
  histogram: v.nullable(v.object({ from: v.number(), to: v.number(), counts: v.array(count) })),
});

const diagnostics = v.object({
  loss: v.number(),
  gradientNorm: v.nullable(v.number()),
  clipped: v.boolean(),
  blocks: v.array(v.object({ saturated: v.number(), dead: count, units: count, hpreact: spread, h: spread, dh: spread })),
  parameters: v.record(
    v.string(),
    v.object({ value: spread, gradient: spread, gradientToData: v.nullable(v.number()), updateToData: v.nullable(v.number()) }),
  ),
});

/** Accepts a diagnosis and drops unknown keys. */
export const DiagnosticsRecordSchema = v.object({ step: count, diagnostics });
