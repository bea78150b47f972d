/** Constant factors of a line: a number times powers of the sizes, such as -1/2, n/(n-1) and 1/(n·V). */

/** The sizes of a batch: n examples, T characters of context, E numbers per character, H hidden units, V characters. */
export interface Sizes {
  n: number;
  T: number;
  E: number;
  H: number;
  V: number;
}

const SIZE_VALUES = {
  n: ({ n }: Sizes) => n,
  'n-1': ({ n }: Sizes) => n - 1,
  'n+1': ({ n }: Sizes) => n + 1,
  'H-1': ({ H }: Sizes) => H - 1,
  'V-1': ({ V }: Sizes) => V - 1,
  V: ({ V }: Sizes) => V,
  H: ({ H }: Sizes) => H,
  T: ({ T }: Sizes) => T,
  E: ({ E }: Sizes) => E,
};
type SizeName = keyof typeof SIZE_VALUES;
const SIZE_NAMES = Object.keys(SIZE_VALUES) as SizeName[];

export interface Scale {
  number: number;
  powers: Readonly<Partial<Record<SizeName, number>>>;
}

export const ONE: Scale = { number: 1, powers: {} };

export function scaleValue({ number, powers }: Scale, sizes: Sizes): number {
  return number * sizePart(powers, sizes);
}

function sizePart(powers: Scale['powers'], sizes: Sizes): number {
  let value = 1;
  for (const name of SIZE_NAMES) if (powers[name]) value *= SIZE_VALUES[name](sizes) ** powers[name];
  return value;
}

export function times(a: Scale, b: Scale): Scale {
  const powers: Partial<Record<SizeName, number>> = {};
  for (const name of SIZE_NAMES) {
    const power = (a.powers[name] ?? 0) + (b.powers[name] ?? 0);
    if (power !== 0) powers[name] = power;
  }
  return { number: a.number * b.number, powers };
}

/** 1/a; the number must not be 0. */
export function inverse({ number, powers }: Scale): Scale {
  return { number: 1 / number, powers: Object.fromEntries(Object.entries(powers).map(([name, power]) => [name, -power])) };
}

/** Whether it is 1, also where x · (1/x) is 1 up to rounding. */
export function isOne({ number, powers }: Scale): boolean {
  return Math.abs(number - 1) < 1e-9 && Object.keys(powers).length === 0;
}

// As text ------------------------------------------------------------------------------------------------------------

const LARGEST_DENOMINATOR = 8;

/** Numbers that people know by name. */
const CONSTANTS: Readonly<Record<string, number>> = {
  'ln(10)': Math.LN10,
  'ln(2)': Math.LN2,
  e: Math.E,
  'e²': Math.E ** 2,
  π: Math.PI,
  '2π': 2 * Math.PI,
  'sqrt(2)': Math.SQRT2,
  'sqrt(3)': Math.sqrt(3),
  'sqrt(π)': Math.sqrt(Math.PI),
  'sqrt(2π)': Math.sqrt(2 * Math.PI),
};

/** A known constant, or one over it, as numerator and denominator. */
function constantIn(size: number): [above: string, below: string] | undefined {
  for (const [name, value] of Object.entries(CONSTANTS)) {
    if (Math.abs(size - value) < 1e-6 * value) return [name, '1'];
    if (Math.abs(size * value - 1) < 1e-6) return ['1', name];
  }
  return undefined;
}

/** A scale in the shortest notation: -1, 1/2, n/(n-1), (n-1)²/n². */
export function textOf({ number, powers }: Scale): string {
  const [above, below] = fraction(Math.abs(number));
  const over = parts(above, powers, 1);
  const under = parts(below, powers, -1);
  const top = under.length > 0 && over.length === 1 ? bracketed(over) : over.join('·') || '1';
  return `${number < 0 ? '-' : ''}${top}${under.length === 0 ? '' : `/${bracketed(under)}`}`;
}

/** A number as numerator and denominator; an own number stays a decimal. */
function fraction(number: number): [above: string, below: string] {
  for (let below = 1; below <= LARGEST_DENOMINATOR; below++) {
    const above = number * below;
    if (Math.abs(above - Math.round(above)) < 1e-9 * Math.max(1, above)) return [`${Math.round(above)}`, `${below}`];
  }
  return constantIn(number) ?? [`${Number(number.toPrecision(4))}`, '1'];
}

function parts(number: string, powers: Scale['powers'], sign: 1 | -1): string[] {
  const sizes = SIZE_NAMES.flatMap((name) => {
    const power = sign * (powers[name] ?? 0);
    if (power <= 0) return [];
    if (power === 0.5) return [`sqrt(${name})`];
    const exponent = power === 1 ? '' : power === 2 ? '²' : power === 3 ? '³' : `^${power}`;
    return [exponent && name.length > 1 ? `(${name})${exponent}` : `${name}${exponent}`];
  });
  const whole = [...(number === '1' ? [] : [number]), ...sizes];
  // T·E is the row length of embact.
  return whole.length > 1 ? whole.map((part) => (/^[nHV][-+]1$/.test(part) ? `(${part})` : part)) : whole;
}

function bracketed(list: readonly string[]): string {
  return list.length > 1 || /^[nHV][-+]1$/.test(list[0]) ? `(${list.join('·')})` : list[0];
}

/** The scale of a text that {@link textOf} made. */
export function parseScale(text: string): Scale {
  const negative = text.startsWith('-');
  const [above, below = ''] = splitOutside(negative ? text.slice(1) : text, '/');
  const over = parseProduct(above);
  const whole = below === '' ? over : times(over, inverse(parseProduct(below)));
  return { ...whole, number: negative ? -whole.number : whole.number };
}

function parseProduct(text: string): Scale {
  const inner = /^\(.*\)$/.test(text) && splitOutside(text, '·').length === 1 ? text.slice(1, -1) : text;
  return splitOutside(inner, '·').map(parsePart).reduce(times);
}

function parsePart(part: string): Scale {
  if (part in CONSTANTS) return { number: CONSTANTS[part], powers: {} };
  const root = /^sqrt\((.*)\)$/.exec(part);
  if (root) return { number: 1, powers: { [root[1]]: 0.5 } };
  const [, base, exponent] = /^(.*?)(²|³|\^\d+)?$/.exec(part) as unknown as [string, string, string | undefined];
  const name = base.replace(/[()]/g, '');
  const power = exponent === undefined ? 1 : exponent === '²' ? 2 : exponent === '³' ? 3 : Number(exponent.slice(1));
  return name in SIZE_VALUES ? { number: 1, powers: { [name]: power } } : { number: Number(name), powers: {} };
}

/** The parts between separators that are outside of parentheses. */
function splitOutside(text: string, separator: string): string[] {
  const found = [''];
  let depth = 0;
  for (const character of text) {
    depth += character === '(' ? 1 : character === ')' ? -1 : 0;
    if (character === separator && depth === 0) found.push('');
    else found[found.length - 1] += character;
  }
  return found;
}

// Recognised ---------------------------------------------------------------------------------------------------------

interface SizeProduct {
  powers: Scale['powers'];
  cost: number;
}

/** Products of sizes, the simplest first. */
const SIZE_PRODUCTS: readonly SizeProduct[] = sizeProducts();

function sizeProducts(): SizeProduct[] {
  const list: SizeProduct[] = [{ powers: {}, cost: 0 }];
  // n+1 is a slip for n or n-1, H-1 and V-1 are slips for n-1: they do not combine with other sizes.
  const names = SIZE_NAMES.filter((name) => !['n+1', 'H-1', 'V-1'].includes(name));
  const add = (powers: Scale['powers'], cost: number) => list.push({ powers, cost });
  for (const [i, a] of names.entries()) {
    for (const p of [1, -1]) {
      add({ [a]: p }, a === 'n' || a === 'n-1' ? 0.8 : 1);
      add({ [a]: 2 * p }, 1.6);
      if (a !== 'T' && a !== 'E') add({ [a]: p / 2 }, 1.6);
      for (const b of names.slice(i + 1)) {
        const near = a === 'n' && b === 'n-1';
        add({ [a]: p, [b]: p }, a === 'T' && b === 'E' ? 1 : 1.6);
        add({ [a]: p, [b]: -p }, near ? 0.8 : 1.5);
        if (near) add({ [a]: 2 * p, [b]: -2 * p }, 1.2);
        if (near) add({ [a]: 2 * p, [b]: -p }, 1.6);
        if (near) add({ [a]: p, [b]: -2 * p }, 1.6);
        // n/(n-1) where 1/n or 1/(n-1) belongs, with a row length.
        for (const c of names.slice(names.indexOf(b) + 1)) {
          add({ [a]: p, [b]: p, [c]: p }, 2.2);
          if (near) for (const q of [1, -1]) add({ [a]: p, [b]: -p, [c]: q }, 2.2);
        }
      }
    }
  }
  for (const p of [1, -1]) {
    add({ 'n-1': p, 'n+1': -p }, 1);
    add({ n: p, 'n+1': -p }, 1);
    add({ 'n+1': p }, 1.5);
    for (const wrong of ['H-1', 'V-1'] as const) {
      add({ 'n-1': p, [wrong]: -p }, 1.4);
      add({ n: p, [wrong]: -p }, 1.6);
      add({ [wrong]: p }, 1.6);
    }
    add({ n: p, T: -p, E: -p }, 2.2);
  }
  return list.sort((a, b) => a.cost - b.cost);
}

/** The cost of the number beside a product of sizes; undefined for a number that nobody writes there. */
function numberCost(number: number, alone: boolean, ofOneSize: boolean): number | undefined {
  const sign = number < 0 ? 0.5 : 0;
  const size = Math.abs(number);
  const near = (x: number) => Math.abs(size - x) < 1e-6 * x;
  if (near(1)) return sign;
  if ([2, 0.5].some(near)) return 0.7 + sign;
  if ([4, 0.25, 3, 1 / 3, 1.5, 2 / 3].some(near)) return 1 + sign;
  if (constantIn(size)) return 1.3 + sign;
  const short = Math.abs(size - Number(size.toPrecision(2))) < 1e-9 * size;
  // At one batch size 0.0009766 is rather 1/n².
  if (alone) return (ofOneSize && !short ? 1.9 : 1.5) + sign;
  return short ? 1.8 + sign : undefined;
}

/** A scale that was found, and how far-fetched it is: 0 for the factor 1. */
export interface FittedScale {
  scale: Scale;
  cost: number;
}

const ALIKE = 1e-5;

/** The simplest scale that has these values at these sizes; undefined if there is none. */
export function recognise(values: readonly number[], sizes: readonly Sizes[]): FittedScale | undefined {
  let best: FittedScale | undefined;
  for (const { powers, cost } of SIZE_PRODUCTS) {
    if (best && cost >= best.cost) break;
    const ratios = values.map((value, i) => value / sizePart(powers, sizes[i]));
    const number = ratios[ratios.length - 1];
    if (!ratios.every((ratio) => Math.abs(ratio - number) <= ALIKE * Math.abs(number))) continue;
    const rounded = roundedNumber(number);
    const more = numberCost(rounded, cost === 0, values.length === 1);
    if (more !== undefined && (!best || cost + more < best.cost)) best = { scale: { number: rounded, powers }, cost: cost + more };
  }
  return best;
}

/** A simple fraction near the number, else the number with six digits. */
function roundedNumber(number: number): number {
  // The coefficient of a small branch has few digits in float32. What its text says decides; whether it fits is seen later.
  if (Math.abs(Number(number.toPrecision(4))) === 1) return Math.sign(number);
  for (let below = 1; below <= LARGEST_DENOMINATOR; below++) {
    const above = Math.round(number * below);
    if (above !== 0 && Math.abs(above) < 100 && Math.abs(number * below - above) <= ALIKE * Math.abs(above)) return above / below;
  }
  const known = constantIn(Math.abs(number));
  if (known) return Math.sign(number) * (known[1] === '1' ? CONSTANTS[known[0]] : 1 / CONSTANTS[known[1]]);
  const short = Number(number.toPrecision(3));
  return Math.abs(short - number) < 1e-6 * Math.abs(number) ? short : number;
}
