/** The palette of the reader's colour scheme, light or dark. */
import { signal } from '@preact/signals';
import { DARK, LIGHT } from './colors.js';

const darkQuery = matchMedia('(prefers-color-scheme: dark)');
export const palette = signal(darkQuery.matches ? DARK : LIGHT);
darkQuery.addEventListener('change', () => {
  palette.value = darkQuery.matches ? DARK : LIGHT;
});
