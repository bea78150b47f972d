import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { colorAt, DARK, finiteRange, LIGHT, largestFinite, type Palette, paint, placeOn, unusual } from '../../../src/page/parts/colors.js';
import { inProject } from '../../support/inProject.js';

type Rgb = readonly [number, number, number];

const PLACES = Array.from({ length: 201 }, (_, k) => (k - 100) / 100);
const PALETTES = { light: LIGHT, dark: DARK };

/** sRGB from 0 to 255 as linear light from 0 to 1. */
const linear = (color: Rgb) =>
  color.map((c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4)) as [number, number, number];
const luminance = (color: Rgb) => {
  const [r, g, b] = linear(color);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
/** The contrast of WCAG 2: 1 to 21. */
const contrast = (a: Rgb, b: Rgb) => {
  const [least, most] = [luminance(a), luminance(b)].sort((x, y) => x - y) as [number, number];
  return (most + 0.05) / (least + 0.05);
};

/** A token of page.css in the light or the dark scheme. */
function token(name: string, scheme: keyof typeof PALETTES): Rgb {
  const css = readFileSync(inProject('src/page/page.css'), 'utf8');
  const found = new RegExp(`--${name}: light-dark\\((#\\w{6}), (#\\w{6})\\)`).exec(css);
  const hex = found?.[scheme === 'light' ? 1 : 2] ?? '';
  return [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16)) as [number, number, number];
}

/** Linear light as a dichromat sees it (Viénot, Brettel and Mollon 1999; Machado, Oliveira and Fernandes 2009 for blue). */
const VISIONS: Record<string, readonly Rgb[]> = {
  protanopia: [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
  deuteranopia: [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
  tritanopia: [
    [1.255528, -0.076749, -0.178779],
    [-0.078411, 0.930809, 0.147602],
    [0.004733, 0.691367, 0.3039],
  ],
};

/** CIE L*a*b* of linear light, for D65. */
function lab([r, g, b]: Rgb): Rgb {
  const f = (t: number) => (t > (6 / 29) ** 3 ? Math.cbrt(t) : t / (3 * (6 / 29) ** 2) + 4 / 29);
  const x = f((0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.9505);
  const y = f(0.2126 * r + 0.7152 * g + 0.0722 * b);
  const z = f((0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.089);
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}

const seen = (color: Rgb, vision: readonly Rgb[]): Rgb => {
  const [r, g, b] = linear(color);
  return lab(vision.map(([p, q, s]) => Math.max(0, p * r + q * g + s * b)) as [number, number, number]);
};
/** ΔE of 1976: 2.3 is just noticeable. */
const apart = (a: Rgb, b: Rgb) => Math.hypot(...a.map((x, k) => x - (b[k] as number)));

describe.each(['light', 'dark'] as const)('the %s palette', (scheme) => {
  const palette: Palette = PALETTES[scheme];

  it('shows the cursor on every colour: its ink or its ring of paper has a contrast of at least 3', () => {
    const [ink, ring] = [token('ink', scheme), token('raised', scheme)];
    const least = Math.min(
      ...[...PLACES, Number.NaN].map((place) => Math.max(contrast(ink, colorAt(place, palette)), contrast(ring, colorAt(place, palette)))),
    );
    expect(least).toBeGreaterThan(3);
    expect(contrast(ink, ring)).toBeGreaterThan(7);
  });

  it.each(Object.entries(VISIONS))('keeps negative, zero, positive and not finite apart with %s', (_, vision) => {
    for (const size of [0.25, 0.5, 1]) {
      const [negative, zero, positive] = [-size, 0, size].map((place) => seen(colorAt(place, palette), vision)) as [Rgb, Rgb, Rgb];
      expect(apart(negative, positive), `±${size}`).toBeGreaterThan(20 * size);
      expect(Math.min(apart(negative, zero), apart(positive, zero)), `${size} and 0`).toBeGreaterThan(20 * size);
    }
    const notFinite = seen(palette.notFinite, vision);
    expect(Math.min(...PLACES.map((place) => apart(notFinite, seen(colorAt(place, palette), vision))))).toBeGreaterThan(2.3);
  });

  it('grows from zero on both sides, and is the same in steps', () => {
    const distance = (place: number) => apart(lab(linear(colorAt(place, palette))), lab(linear(palette.zero)));
    for (const side of [-1, 1]) {
      const sizes = [0, 0.1, 0.3, 0.5, 0.7, 1].map((size) => distance(side * size));
      expect(sizes).toEqual([...sizes].sort((a, b) => a - b));
    }
  });
});

describe('a scale', () => {
  it('has zero in the middle and the largest magnitude at the ends', () => {
    const scale = { most: 4, log: false };
    expect([-4, -1, 0, 2, 4, 9].map((value) => placeOn(value, scale))).toEqual([-1, -0.25, 0, 0.5, 1, 1]);
  });

  it('shows small values in a logarithmic scale, with the same sign and order', () => {
    const scale = { most: 4, log: true };
    expect([-4, 0, 4].map((value) => placeOn(value, scale))).toEqual([-1, 0, 1]);
    expect(placeOn(0.004, scale)).toBeCloseTo(0.1, 2);
    expect(placeOn(-0.4, scale)).toBeLessThan(placeOn(-0.04, scale));
  });

  it('of zeros, of nothing and of NaN paints no colour of a value', () => {
    expect(placeOn(0, { most: 0, log: true })).toBe(0);
    expect(placeOn(Number.NaN, { most: 1, log: false })).toBeNaN();
    expect(placeOn(Number.NEGATIVE_INFINITY, { most: 1, log: true })).toBeNaN();
  });

  it('is not stretched by infinity', () => {
    const data = [Number.NaN, -3, Number.POSITIVE_INFINITY, 2];
    expect(largestFinite(data)).toBe(3);
    expect(finiteRange(data)).toEqual([-3, 2]);
    expect(finiteRange([Number.NaN])).toBeUndefined();
  });
});

it('paint writes four bytes per entry; NaN and both infinities have the colour of their own, and a word each', () => {
  const data = [-1, 0, 1, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  const pixels = new Uint8ClampedArray(4 * data.length);
  paint(pixels, data, { most: 1, log: false }, LIGHT);
  const colors = data.map((_, i) => [...pixels.slice(4 * i, 4 * i + 4)]);
  const own = [...LIGHT.notFinite, 255];
  expect(colors).toEqual([[179, 88, 6, 255], [247, 247, 247, 255], [33, 102, 172, 255], own, own, own]);
  expect(data.map(unusual)).toEqual([undefined, undefined, undefined, 'NaN', 'infinity', '−infinity']);
});
