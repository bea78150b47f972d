import { describeThrown, type LineContext } from '../../dojo/outcome.js';
import type { Layer } from '../../gradCheck/anyLayer/layer.js';
import { PARTS } from '../../gradCheck/anyLayer/layer.js';

type Part = (...values: unknown[]) => unknown;

/** The layer, except that its errors say in which line of its file they come from: `x is not defined (line 12)`. */
export function located(layer: Layer, context: LineContext): Layer {
  const parts = PARTS.map((part) => {
    const own = layer[part] as Part;
    const value: Part = (...values) => {
      try {
        const result = own.apply(layer, values);
        return result instanceof Promise ? result.catch(fail) : result;
      } catch (thrown) {
        return fail(thrown);
      }
    };
    return [part, { value }] as const;
  });
  const fail = (thrown: unknown): never => {
    const { line } = describeThrown(thrown, context);
    if (line === undefined || !(thrown instanceof Error)) throw thrown;
    throw Object.assign(new Error(`${thrown.message} (line ${line})`, { cause: thrown }), { name: thrown.name });
  };
  return Object.create(layer, Object.fromEntries(parts)) as Layer;
}
