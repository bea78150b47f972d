/** The palette of the reader's colour scheme, light or dark; on paper, light. */
import { signal } from '@preact/signals';
import { DARK, LIGHT } from './colors.js';

const darkQuery = matchMedia('(prefers-color-scheme: dark)');
const printQuery = matchMedia('print');
const current = () => (darkQuery.matches && !printQuery.matches ? DARK : LIGHT);
export const palette = signal(current());
for (const query of [darkQuery, printQuery]) {
  query.addEventListener('change', () => {
    palette.value = current();
  });
}
