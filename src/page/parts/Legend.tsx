/** The scale of the heat maps: from the most negative colour over zero to the most positive one. */
import { useMemo } from 'preact/hooks';
import { state } from '../state.js';
import { showNumber } from './numbers.js';
import { Picture } from './Picture.js';

const STOPS = 101;

/** @param most the magnitude of the strongest colour, where all heat maps share it */
export function Legend({ most }: { most: number | undefined }) {
  const { log } = state.value;
  const ramp = useMemo(() => ({ data: Float64Array.from({ length: STOPS }, (_, i) => (2 * i) / (STOPS - 1) - 1), shape: [1, STOPS] }), []);
  const end = most === undefined ? 'max' : showNumber(most);
  return (
    <span class="legend">
      <span class="legend-ends">−{end}</span>
      <span class="legend-ramp">
        <Picture tensor={ramp} scale={{ most: 1, log }} label={`Scale from minus ${end} over 0 to ${end}`} />
        <span class="legend-zero">0</span>
      </span>
      <span class="legend-ends">{end}</span>
      {most === undefined && <span class="legend-note">of each map (±)</span>}
    </span>
  );
}
