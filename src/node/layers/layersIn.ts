/** Finds the layers among the exports of a file. */
import { kindOf, MAX_NAME } from '../../dojo/outcome.js';
import { isLayer, type Layer, PARTS } from '../../gradCheck/anyLayer/layer.js';
import { MAX_LAYERS, MAX_OTHERS, type OtherExport } from './protocol.js';

/** Functions of an export that are listed. */
const MAX_FUNCTIONS = 20;

/**
 * The layers by name: exports, and those of an object that is the default export. A layer has one name, its own before one in the default
 * export, which CommonJS repeats.
 */
export function layersIn(exports: object): { layers: Map<string, Layer>; others: OtherExport[] } {
  const layers = new Map<string, Layer>();
  const others: OtherExport[] = [];
  const add = (entries: readonly (readonly [string, unknown])[]) => {
    for (const [name, value] of entries) {
      if (!isLayer(value)) {
        if (others.length < MAX_OTHERS) others.push(describe(name, value));
      } else if (![...layers.values()].includes(value) && layers.size < MAX_LAYERS) layers.set(name, value);
    }
  };
  const byDefault = read(exports, 'default');
  const isRecord = typeof byDefault === 'object' && byDefault !== null && !isLayer(byDefault) && !partsOf(byDefault).length;
  add(entriesOf(exports).filter(([name]) => name !== 'default'));
  if (isRecord) add(entriesOf(byDefault).filter(([name]) => !layers.has(name)));
  else if (byDefault !== undefined) add([['default', byDefault]]);
  return { layers, others };
}

function entriesOf(exports: object): (readonly [string, unknown])[] {
  return Object.keys(exports).map((name) => [name.slice(0, MAX_NAME), read(exports, name)] as const);
}

/** Reading an export may throw: it may be a getter, or not be initialised yet. */
function read(exports: object, name: string): unknown {
  try {
    return (exports as Record<string, unknown>)[name];
  } catch {
    return undefined;
  }
}

function describe(name: string, value: unknown): OtherExport {
  const isClass = typeof value === 'function' && /^class\b/.test(Function.prototype.toString.call(value));
  const kind = isClass ? 'a class: see fromClass' : kindOf(value);
  if (typeof value !== 'object' || value === null || partsOf(value).length === 0) return { name, kind };
  return { name, kind, functions: functionsOf(value) };
}

function partsOf(value: object): string[] {
  return PARTS.filter((part) => typeof read(value, part) === 'function');
}

/** Own functions and those of the class. */
function functionsOf(value: object): string[] {
  const names = new Set<string>();
  for (let at: object | null = value; at && at !== Object.prototype; at = Object.getPrototypeOf(at)) {
    for (const name of Object.getOwnPropertyNames(at)) if (typeof read(value, name) === 'function') names.add(name);
  }
  names.delete('constructor');
  return [...names].slice(0, MAX_FUNCTIONS).map((name) => name.slice(0, MAX_NAME));
}
