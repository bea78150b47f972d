/** Colours of heat maps: diverging, zero in the middle, told apart by colour-blind eyes. */
import { signal } from '@preact/signals';

type Rgb = readonly [red: number, green: number, blue: number];

interface Palette {
  negative: Rgb;
  zero: Rgb;
  positive: Rgb;
  /** NaN and infinity: no colour between negative and positive. */
  notFinite: Rgb;
}

const LIGHT: Palette = { negative: [179, 88, 6], zero: [247, 247, 247], positive: [33, 102, 172], notFinite: [200, 0, 160] };
const DARK: Palette = { negative: [255, 160, 87], zero: [22, 24, 29], positive: [90, 169, 255], notFinite: [255, 90, 220] };

const darkQuery = matchMedia('(prefers-color-scheme: dark)');
/** The palette of the reader's colour scheme. */
export const palette = signal(darkQuery.matches ? DARK : LIGHT);
darkQuery.addEventListener('change', () => {
  palette.value = darkQuery.matches ? DARK : LIGHT;
});

/** How a value becomes a place between -1 and 1. */
export interface Scale {
  /** The magnitude of the strongest colour. */
  most: number;
  /** Symmetric logarithm: linear below a thousandth of `most`, logarithmic above. */
  log: boolean;
}

const LINEAR_SHARE = 1e-3;

/** The place of a value on the scale: -1 to 1; NaN for a value that is not finite. */
function placeOn(value: number, { most, log }: Scale): number {
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

/** Writes the colours of the entries into the bytes of an image, four per entry. */
export function paint(
  pixels: Uint8ClampedArray,
  data: ArrayLike<number>,
  scale: Scale,
  { negative, zero, positive, notFinite }: Palette,
): void {
  for (let i = 0; i < data.length; i++) {
    const place = placeOn(data[i] as number, scale);
    const to = Number.isNaN(place) ? notFinite : place < 0 ? negative : positive;
    const share = Number.isNaN(place) ? 1 : Math.abs(place);
    for (let c = 0; c < 3; c++) pixels[4 * i + c] = (zero[c] as number) + share * ((to[c] as number) - (zero[c] as number));
    pixels[4 * i + 3] = 255;
  }
}
