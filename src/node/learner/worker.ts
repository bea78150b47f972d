/**
 * A process in which a learner's file may do anything. It loads the file and runs its lines on the arrays that its parent sends. It knows no
 * solution, and its replies are arrays and faults: the parent judges them.
 */

import { type Indices, Tensor } from '../../core/tensor.js';
import type { LoadFault } from '../../dojo/findings.js';
import type { GivenValues } from '../../dojo/learnerFile.js';
import { kindOf, MAX_NAME, runLine, runPass, textOf } from '../../dojo/outcome.js';
import type { GradientName } from '../../lesson/values.js';
import { type ArrayHead, arraysIn, type Frame, type NamedArray } from '../guest/frames.js';
import { settle, startHost } from '../guest/host.js';
import { LEARNER_LIBRARY } from '../paths.js';
import { type Assignment, MAX_KEYS, MAX_LINE_TEXT, type Reply, type Request } from './protocol.js';

const { assignment, context, reply, stop, requests, restartTime, load } = startHost<Assignment, Reply>();

/** The file's default export, or the reason why there is none. */
async function loadLines(): Promise<{ lines: object } | { fault: LoadFault }> {
  // The program's own copy, without the solutions: the learner's folder needs no node_modules.
  const loaded = await load({ alias: { 'backprop-ninja': LEARNER_LIBRARY, 'backprop-ninja/dojo': LEARNER_LIBRARY } });
  if ('fault' in loaded) return loaded;
  const { exercise } = assignment;
  const { default: lines } = loaded.exports;
  if (lines === undefined) return { fault: { id: 'no-default-export', exercise } };
  if (typeof lines === 'object' && lines !== null) return { lines };
  return { fault: { id: 'wrong-default-export', found: kindOf(lines), exercise } };
}

function keysOf(lines: object): string[] {
  try {
    return Object.keys(lines)
      .slice(0, MAX_KEYS)
      .map((key) => key.slice(0, MAX_NAME));
  } catch {
    return [];
  }
}

/** A line of the file. If it cannot be read, a function that throws the reason. */
function lineNamed(lines: object, name: string): unknown {
  try {
    return (lines as Record<string, unknown>)[name];
  } catch (thrown) {
    return () => {
      throw thrown;
    };
  }
}

async function run(): Promise<void> {
  const loaded = await loadLines();
  if ('fault' in loaded) return stop(loaded.fault);
  const { lines } = loaded;
  await settle();
  reply({ id: 0, kind: 'loaded', keys: keysOf(lines) });
  const named = new Map<string, unknown>();
  const line = (name: string) => {
    if (!named.has(name)) named.set(name, lineNamed(lines, name));
    return named.get(name);
  };
  for (const { id, frame } of requests()) {
    const request = frame.header as Request;
    // Each request has its own computing time, except the steps of a training.
    if (request.kind !== 'pass') restartTime();
    if (request.kind === 'run') runOnce(id, request.name, line(request.name), valuesOf(frame, request.n));
    else if (request.kind === 'pass') passOnce(id, request, line, valuesOf(frame, request.n));
    else {
      await settle();
      reply({ id, kind: 'settled' });
    }
  }
}

function valuesOf({ header, body }: Frame, n: number): GivenValues {
  const { arrays } = header as { arrays: ArrayHead[] };
  const entries = arraysIn(arrays, body).map(({ name, data, shape }): [string, Tensor | Indices] => [
    name,
    data instanceof Int32Array ? { data, shape } : new Tensor(data, shape),
  ]);
  return { ...Object.fromEntries(entries), n } as unknown as GivenValues;
}

function runOnce(id: number, name: GradientName, line: unknown, at: GivenValues): void {
  const outcome = runLine(name, line, at, context);
  const text = textOf(line).slice(0, MAX_LINE_TEXT);
  if ('fault' in outcome) reply({ id, kind: 'failed', text, fault: outcome.fault });
  else if ('tooLarge' in outcome) reply({ id, kind: 'too-large', text, shape: outcome.tooLarge });
  else reply({ id, kind: 'returned', text }, [{ name, ...outcome.tensor }]);
}

function passOnce(id: number, { names, wanted }: Request & { kind: 'pass' }, line: (name: string) => unknown, at: GivenValues): void {
  const result = runPass(
    names.map((name) => [name, line(name)] as const),
    at,
    context,
  );
  if ('fault' in result) reply({ id, kind: 'pass-failed', ...result });
  else {
    const { gradients } = result;
    reply(
      { id, kind: 'passed' },
      wanted.map((name): NamedArray => ({ name, ...(gradients.get(name) as Tensor) })),
    );
  }
}

await run();
