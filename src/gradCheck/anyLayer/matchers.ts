/** Gradient checks in test runners: a matcher for vitest and jest, an assertion for Node's test runner and others. */

import { checkLayer, type LayerCheckOptions } from './checkLayer.js';
import type { Layer } from './layer.js';
import { notALayer, reportText } from './sentences.js';

/**
 * What {@link gradientMatchers} add to expect.
 *
 * `expect` of vitest and the global `expect` of jest know the matcher by themselves. For `expect` from '@jest/globals', write once:
 * `declare module 'expect' { interface Matchers<R extends void | Promise<void>> extends GradientMatchers<R> {} }`
 */
export interface GradientMatchers<R = void> {
  /** Checks the gradients of a layer, as `checkLayer` does. */
  toHaveCorrectGradients(options?: LayerCheckOptions): Promise<R>;
}

declare global {
  namespace jest {
    interface Matchers<R, T> extends GradientMatchers<R> {}
  }
  namespace Chai {
    interface Assertion extends GradientMatchers {}
  }
}

/** What a matcher returns to vitest and jest. */
export interface MatcherResult {
  pass: boolean;
  message(): string;
}

/** What a matcher needs of the test runner's `this`. */
export interface MatcherContext {
  /** Whether the matcher is called as `.not`. */
  readonly isNot?: boolean;
}

/** The matchers, for `expect.extend` of vitest or jest: `await expect(layer).toHaveCorrectGradients()`. */
export const gradientMatchers = {
  /** A value that is no layer, and a layer that could not be judged, fail with and without `.not`. */
  async toHaveCorrectGradients(this: MatcherContext, layer: unknown, options?: LayerCheckOptions): Promise<MatcherResult> {
    const fails = (text: string): MatcherResult => ({ pass: this?.isNot === true, message: () => text });
    const problem = notALayer(layer);
    if (problem !== undefined) return fails(`expect(layer).toHaveCorrectGradients(): ${problem}`);
    const report = await checkLayer(layer as Layer, options);
    if (report.refused) return fails(reportText(report));
    const message = report.ok ? `expected a wrong gradient, but none was found\n\n${reportText(report)}` : reportText(report);
    return { pass: report.ok, message: () => message };
  },
};

/** As Node's assert throws it: test runners count it as a failed assertion. */
class GradientError extends Error {
  override name = 'AssertionError';
  readonly code = 'ERR_ASSERTION';
}

/**
 * Checks a layer, for test runners without `expect.extend`: `await assertGradients(layer)`.
 * @throws an AssertionError, with the report as its message, unless the gradients are right
 * @throws TypeError if it is not a layer
 */
export async function assertGradients(layer: Layer, options?: LayerCheckOptions): Promise<void> {
  const problem = notALayer(layer);
  if (problem !== undefined) throw new TypeError(`assertGradients: ${problem}`);
  const report = await checkLayer(layer, options);
  if (!report.ok) throw new GradientError(reportText(report));
}
