import { dirname } from 'node:path';
import { InvalidArgumentError } from 'commander';
import type { ExerciseNumber } from '../dojo/exercises.js';
import type { WeightDecay } from '../training/updater.js';

/** Parsers of option values. What they refuse, commander reports with the option's name, and the program exits with 2. */

/** A whole number in plain decimal digits. */
export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < min || value > max) {
      throw new InvalidArgumentError(`Expected a whole number from ${min} to ${max}.`);
    }
    return value;
  };
}

/** Whole numbers with commas between them, as many as `most`. */
export function wholeNumbers(min: number, max: number, most: number): (text: string) => number[] {
  return (text) => {
    const parts = text.split(',');
    try {
      if (parts.length <= most) return parts.map(wholeNumber(min, max));
    } catch {
      // Said of the list below.
    }
    throw new InvalidArgumentError(`Expected 1 to ${most} whole numbers from ${min} to ${max}, such as 300,200.`);
  };
}

/** A decimal number, 1e-3 included; the lower bound, or the upper one, is open where it says so. */
export function decimalNumber(min: number, max: number, bounds: 'open' | 'closed' | 'below' = 'closed'): (text: string) => number {
  const range = { open: `above ${min} up to ${max}`, closed: `from ${min} to ${max}`, below: `from ${min} to below ${max}` }[bounds];
  return (text) => {
    const value = Number(text);
    const decimal = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text);
    const outside = value < min || value > max || (bounds === 'open' && value === min) || (bounds === 'below' && value === max);
    if (!decimal || outside) throw new InvalidArgumentError(`Expected a number ${range}.`);
    return value;
  };
}

/** A decay of all weight matrices, or decays of the parameters that are named, in the order of the names. */
export function weightDecay(text: string): WeightDecay {
  const number = decimalNumber(0, 1000);
  try {
    if (!text.includes('=')) return number(text);
    const entries = text.split(',').map((part): [name: string, decay: number] => {
      const [, name, decay] = /^([\w.]+)=(.*)$/.exec(part) ?? ['', '', ''];
      return [name, number(decay)];
    });
    if (new Set(entries.map(([name]) => name)).size === entries.length)
      return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
  } catch {
    // Said of the whole below.
  }
  throw new InvalidArgumentError('Expected a number from 0 to 1000, or such numbers by parameter, as W1=1.2,C=0.5.');
}

/** `all`, or a whole number. */
export function wholeNumberOrAll(min: number, max: number): (text: string) => number | 'all' {
  return (text) => {
    if (text === 'all') return text;
    try {
      return wholeNumber(min, max)(text);
    } catch {
      throw new InvalidArgumentError(`Expected 'all' or a whole number from ${min} to ${max}.`);
    }
  };
}

/** An exercise by its number, or by its file, which also says where it is. */
export interface ExercisePlace {
  number: ExerciseNumber;
  dir?: string;
}

export function exercisePlace(text: string): ExercisePlace {
  const [, number, name] = /^(?:([1-4])|(?:.*[\\/])?exercise([1-4])\.ts)$/.exec(text) ?? [];
  if (number !== undefined) return { number: Number(number) as ExerciseNumber };
  if (name !== undefined) return { number: Number(name) as ExerciseNumber, dir: dirname(text) };
  throw new InvalidArgumentError("Expected a number from 1 to 4, or an exercise's file, as dojo/exercise1.ts.");
}
