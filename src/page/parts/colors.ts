/** Colours of heat maps: diverging, zero in the middle, told apart by colour-blind eyes. */

type Rgb = readonly [red: number, green: number, blue: number];

export interface Palette {
  negative: Rgb;
  zero: Rgb;
  positive: Rgb;
  /** NaN and infinity: no colour between negative and positive. Marks tell them from each other. */
  notFinite: Rgb;
}

export const LIGHT: Palette = { negative: [179, 88, 6], zero: [247, 247, 247], positive: [33, 102, 172], notFinite: [200, 0, 160] };
export const DARK: Palette = { negative: [255, 160, 87], zero: [22, 24, 29], positive: [90, 169, 255], notFinite: [255, 90, 220] };

/** How a value becomes a place between -1 and 1. */
export interface Scale {
  /** The magnitude of the strongest colour. */
  most: number;
  /** Symmetric logarithm: linear below a thousandth of `most`, logarithmic above. */
  log: boolean;
}

const LINEAR_SHARE = 1e-3;

/** The place of a value on the scale: -1 to 1; NaN for a value that is not finite. */
export function placeOn(value: number, { most, log }: Scale): number {
  if (!Number.isFinite(value)) return Number.NaN;
  if (most === 0) return 0;
  const share = Math.min(1, Math.abs(value) / most);
  const place = log ? Math.log1p(share / LINEAR_SHARE) / Math.log1p(1 / LINEAR_SHARE) : share;
  return value < 0 ? -place : place;
}

/** The largest finite magnitude. */
export function largestFinite(data: ArrayLike<number>): number {
  let most = 0;
  for (let i = 0; i < data.length; i++) {
    const size = Math.abs(data[i] as number);
    if (size > most && size < Number.POSITIVE_INFINITY) most = size;
  }
  return most;
}

/** The smallest and the largest finite value; undefined if there is none. */
export function finiteRange(data: ArrayLike<number>): readonly [least: number, most: number] | undefined {
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let i = 0; i < data.length; i++) {
    const value = data[i] as number;
    if (!Number.isFinite(value)) continue;
    least = Math.min(least, value);
    most = Math.max(most, value);
  }
  return least <= most ? [least, most] : undefined;
}

/** The colour of a place, each part from 0 to 255. */
export function colorAt(place: number, palette: Palette): [number, number, number] {
  return [channelAt(place, 0, palette), channelAt(place, 1, palette), channelAt(place, 2, palette)];
}

function channelAt(place: number, channel: 0 | 1 | 2, { negative, zero, positive, notFinite }: Palette): number {
  if (Number.isNaN(place)) return notFinite[channel];
  const to = place < 0 ? negative : positive;
  return Math.round(zero[channel] + Math.abs(place) * (to[channel] - zero[channel]));
}

/** Writes the colours of the entries into the bytes of an image, four per entry. */
export function paint(pixels: Uint8ClampedArray, data: ArrayLike<number>, scale: Scale, palette: Palette): void {
  for (let i = 0; i < data.length; i++) {
    const place = placeOn(data[i] as number, scale);
    pixels[4 * i] = channelAt(place, 0, palette);
    pixels[4 * i + 1] = channelAt(place, 1, palette);
    pixels[4 * i + 2] = channelAt(place, 2, palette);
    pixels[4 * i + 3] = 255;
  }
}

/** The values that are not finite, in the order of a legend. */
export const UNUSUAL = ['NaN', 'infinity', '−infinity'] as const;
export type Unusual = (typeof UNUSUAL)[number];

/** The word of a value that is not finite. */
export function unusual(value: number): Unusual | undefined {
  if (Number.isFinite(value)) return undefined;
  return Number.isNaN(value) ? 'NaN' : value > 0 ? 'infinity' : '−infinity';
}
