/** The entry that the inspector is about, what the engine says of it, and the way on which the reader came to it. */
import { computed, effect, type ReadonlySignal, signal } from '@preact/signals';
import type { UsageError } from '../../../core/errors.js';
import type { NamedBatch } from '../../../dojo/entryMeaning.js';
import { isTensorName, readEntry, type TensorName } from '../../../lesson/entry.js';
import { valueNamed } from '../../../lesson/values.js';
import type { Term } from '../../../lesson/why.js';
import { ask, expectAnswer } from '../../engine/client.js';
import type { PassData } from '../../engine/pass.js';
import type { ArgumentsOf, Method, ResultOf } from '../../engine/protocol.js';
import { isIn, positionOf } from '../../parts/numbers.js';
import { pass, set, state } from '../../state.js';
import { focusInspector } from './focus.js';
import { stepTo } from './jump.js';
import { isGradient } from './steps.js';

export interface Entry {
  name: TensorName;
  at: readonly number[];
}

type Inspected = Entry & { data: PassData };
let latest: Inspected | undefined;

const same = (a: Entry, b: Entry) => a.name === b.name && a.at.join() === b.at.join();

/** The tensor that the inspector is about. */
export function inspectedTensor(): TensorName {
  return state.value.tensor ?? state.value.step;
}

/** The entry of the address, in the pass that is shown; what is wrong with it, if the tensor does not have it. A single number has one entry. */
const addressed = computed<Inspected | { problem: string } | undefined>(() => {
  const data = pass.value;
  const name = inspectedTensor();
  const entry = data?.tensors[name].shape.length === 0 ? [] : state.value.entry;
  if (!data || !entry) return undefined;
  try {
    return { data, name, at: readEntry(entry.join(), data.tensors, name).at ?? [] };
  } catch (error) {
    return { problem: (error as UsageError).message };
  }
});

/** The inspected entry, if one is chosen. The same object for the same entry: the engine is asked once. */
export const inspected = computed<Inspected | undefined>(() => {
  const now = addressed.value;
  const found = now && 'at' in now ? now : undefined;
  if (!(found && latest && latest.data === found.data && same(found, latest))) latest = found;
  return latest;
});

/** The batch of a pass, with the characters that its indices are. */
export function namedBatch({ batch, vocabulary }: PassData): NamedBatch {
  return { ...batch, vocabulary };
}

/** Why the entry of the address cannot be inspected. */
export const problem = computed(() => (addressed.value && 'problem' in addressed.value ? addressed.value.problem : undefined));

/** What the engine says of an entry. */
export interface Answer<S, R> {
  /** What it was asked about. */
  about: S;
  result: R;
  /** False while the answer is about another entry, until the next one comes: it only keeps its place on the page. */
  isCurrent: boolean;
}

/**
 * The engine's latest answer about a subject, undefined while there is none.
 * @param argumentsFor what the engine is asked; it may read other signals
 */
function answerAbout<S extends object, M extends Method>(
  subject: ReadonlySignal<S | undefined>,
  method: M,
  argumentsFor: (subject: S) => ArgumentsOf<M>,
  delay = 0,
): ReadonlySignal<Answer<S, ResultOf<M>> | undefined> {
  const latestAnswer = signal<{ about: S; result: ResultOf<M> } | undefined>(undefined);
  let latestQuestion: ArgumentsOf<M> | undefined;
  effect(() => {
    const about = subject.value;
    if (!about) {
      latestAnswer.value = undefined;
      latestQuestion = undefined;
      return;
    }
    const question = argumentsFor(about);
    latestQuestion = question;
    const send = async () => {
      const result = await ask(method, ...question);
      if (question === latestQuestion) latestAnswer.value = { about, result };
    };
    const end = expectAnswer();
    const timer = setTimeout(() => {
      void send();
      end();
    }, delay);
    return () => {
      clearTimeout(timer);
      end();
    };
  });
  return computed(() => latestAnswer.value && { ...latestAnswer.value, isCurrent: latestAnswer.value.about === subject.value });
}

/** Why the entry has its value. */
export const explanation = answerAbout(inspected, 'why', ({ data, name, at }) => [data.source, name, at]);

/** The value that a proof moves: W1[3,17] for dW1[3,17]; none for the loss. */
const moved = computed(() => {
  const entry = inspected.value;
  if (!entry || entry.name === 'loss') return undefined;
  const { name, at, data } = entry;
  return { source: data.source, name: isGradient(name) ? valueNamed(name) : name, position: positionOf(at, data.tensors[name].shape) };
});

const eps = computed(() => state.value.eps);

/** The loss on both sides, and the quotient, with the ε of the address. */
export const nudged = answerAbout(moved, 'nudge', ({ source, name, position }) => [source, name, position, eps.value]);

/** Milliseconds that the cursor rests before the curves are computed, which takes 20 to 90. */
const CURVES_WAIT = 80;

/** The error of the quotient by ε. */
export const curves = answerAbout(moved, 'errorCurves', ({ source, name, position }) => [source, name, position], CURVES_WAIT);

/** A term whose factors alone are outlined: that under the mouse or with the focus. */
export const pointedTerm = signal<Term | undefined>(undefined);

/** Positions of the entries that the inspected entry is made of, by tensor. */
const madeOf = computed(() => {
  const positions = new Map<TensorName, number[]>();
  const { data } = inspected.value ?? {};
  const answer = explanation.value;
  const terms = pointedTerm.value ? [pointedTerm.value] : answer?.isCurrent ? answer.result.terms : [];
  for (const { name, at } of data ? terms.flatMap(({ factors }) => factors) : []) {
    if (!data || !isTensorName(name)) continue;
    const { shape } = data.tensors[name];
    if (!isIn(at, shape)) continue;
    const known = positions.get(name);
    if (known) known.push(positionOf(at, shape));
    else positions.set(name, [positionOf(at, shape)]);
  }
  return positions;
});

/** The row, the column or the entries of a tensor that the inspected entry is made of. */
export function entriesRead(name: TensorName): readonly number[] {
  return madeOf.value.get(name) ?? [];
}

/** The entries from the one that the reader chose to the one that is inspected, which is the last. */
export const trail = signal<readonly Entry[]>([]);

/** Keeps the way up to date: it ends with the inspected entry, or begins anew with one that is not on it. */
export function followTrail(): () => void {
  return effect(() => {
    const entry = inspected.value;
    const way = trail.peek();
    const place = entry ? way.findIndex((one) => same(one, entry)) : -1;
    pointedTerm.value = undefined;
    trail.value = entry ? (place < 0 ? [entry] : way.slice(0, place + 1)) : [];
  });
}

/** Goes to an entry that the inspected one is made of. */
export function followTo({ name, at }: Entry): void {
  const to = { name, at };
  if (!trail.peek().some((one) => same(one, to))) trail.value = [...trail.peek(), to];
  goTo(to);
}

/** Goes to an entry, in the step that shows its tensor. The focus goes to the inspector: the button that was pressed may be gone. */
export function goTo({ name, at }: Entry): void {
  set({ ...stepTo(name), entry: at.length === 0 ? null : at }, 'push');
  focusInspector();
}
