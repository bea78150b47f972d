/** Kinds of option values: how a value is read from text, shown as text, and checked when a file holds it. */

export interface Kind<T> {
  /** Completes "Expected …". */
  readonly expected: string;
  /** Returns undefined if the text is not a value of this kind. */
  read(text: string): T | undefined;
  /** The value as a user types it. */
  show(value: T): string;
  /** The check of a value in a file. */
  readonly stored: StoredKind;
}

/** Values that a file may hold. Upper limits that only serve the command line are left out. */
export type StoredKind =
  | { type: 'whole'; min: number }
  | { type: 'wholes'; min: number; most: number }
  | { type: 'decimal'; min: number; open: boolean; below?: number }
  | { type: 'choice'; choices: readonly string[] }
  | { type: 'decay' }
  | { type: 'flag' }
  | { type: 'text' }
  /** 64 hexadecimal digits, of the file that the user names. */
  | { type: 'sha256' };

/** A whole number in plain decimal digits. */
export function wholeNumber(min: number, max: number): Kind<number> {
  return {
    expected: `a whole number from ${min} to ${max}`,
    read: (text) => {
      const value = Number(text);
      return /^\d+$/.test(text) && value >= min && value <= max ? value : undefined;
    },
    show: String,
    stored: { type: 'whole', min },
  };
}

/** Whole numbers separated by commas, at most `most`. */
export function wholeNumbers(min: number, max: number, most: number): Kind<readonly number[]> {
  const { read } = wholeNumber(min, max);
  return {
    expected: `1 to ${most} whole numbers from ${min} to ${max}, such as 300,200`,
    read: (text) => {
      const values = text.split(',').flatMap((part) => read(part) ?? []);
      return values.length === text.split(',').length && values.length <= most ? values : undefined;
    },
    show: (values) => values.join(','),
    stored: { type: 'wholes', min, most },
  };
}

/**
 * A decimal number, such as 0.5 or 1e-3.
 * @param bounds open excludes `min`, below excludes `max`
 */
export function decimalNumber(min: number, max: number, bounds: 'open' | 'closed' | 'below' = 'closed'): Kind<number> {
  const open = bounds === 'open';
  return {
    expected: `a number ${{ open: `above ${min} up to ${max}`, closed: `from ${min} to ${max}`, below: `from ${min} to below ${max}` }[bounds]}`,
    read: (text) => {
      const value = Number(text);
      const inside = value >= min && value <= max && !(open && value === min) && !(bounds === 'below' && value === max);
      return inside && /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? value : undefined;
    },
    show: String,
    stored: { type: 'decimal', min, open, ...(bounds === 'below' ? { below: max } : {}) },
  };
}

/** A word, such as `all`, or a whole number. */
export function wholeNumberOr<const Word extends string>(word: Word, min: number, max: number): Kind<number | Word> {
  const { expected, read } = wholeNumber(min, max);
  return {
    expected: `'${word}' or ${expected}`,
    read: (text) => (text === word ? word : read(text)),
    show: String,
    stored: { type: 'text' },
  };
}

/** One of several words. */
export function choice<const T extends string>(choices: readonly T[]): Kind<T> {
  return {
    expected: `one of ${choices.join(', ')}`,
    read: (text) => choices.find((one) => one === text),
    show: String,
    stored: { type: 'choice', choices },
  };
}

/** An option without a value: true if it is given. */
export const flag: Kind<boolean> = {
  expected: 'true or false',
  read: (text) => ({ true: true, false: false })[text],
  show: String,
  stored: { type: 'flag' },
};

/** Any text. */
export const text: Kind<string> = {
  expected: 'a text',
  read: (text) => text,
  show: String,
  stored: { type: 'text' },
};
