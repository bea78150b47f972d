/** What the engine says of the planted mistake: how it spreads, and the verdicts. */
import { computed, effect, signal } from '@preact/signals';
import { findMutant } from '../../../dojo/mutants.js';
import { ask, start } from '../../engine/client.js';
import type { MistakeData } from '../../engine/mistakes.js';
import type { PassSource } from '../../engine/pass.js';
import type { ResultOf } from '../../engine/protocol.js';
import { pass, set, state } from '../../state.js';

const name = computed(() => state.value.mistake);

/** The mistake of the address. */
export const mutant = computed(() => findMutant(name.value));

/** Which mistake in which pass. Its text changes only if one of them does. */
export const subject = computed(() => pass.value && JSON.stringify({ name: name.value, source: pass.value.source }));

/** The latest answers of the engine. */
export const spread = signal<MistakeData | undefined>(undefined);
export const verdicts = signal<({ name: string } & ResultOf<'verdicts'>) | undefined>(undefined);

/** Whether an answer is of the mistake and the pass that are looked at: the answer before stays until the next one comes. */
export function isOfSubject({ name: planted, source }: MistakeData): boolean {
  return JSON.stringify({ name: planted, source }) === subject.value;
}

/** Chooses a mistake of the bank. */
export function chooseMistake(chosen: string): void {
  set({ mistake: chosen, tensor: null, entry: null }, 'push');
}

/** Asks the engine for what the view shows, while it is open. @returns a function that ends it */
export function followMistake(): () => void {
  const ends = [effect(askForSpread), effect(askForVerdicts)];
  return () => {
    for (const end of ends) end();
  };
}

function askForSpread(): void {
  const asked = subject.value;
  if (asked === undefined) return;
  const { name: planted, source } = JSON.parse(asked) as { name: string; source: PassSource };
  ask('mistake', source, planted).then((data) => {
    if (asked === subject.peek()) spread.value = data;
  });
}

function askForVerdicts(): (() => void) | undefined {
  const planted = name.value;
  if (verdicts.peek()?.name === planted) return undefined;
  const running = start('verdicts', [planted]);
  running.result.then((row) => {
    verdicts.value = { name: planted, ...row };
  });
  return running.cancel;
}
