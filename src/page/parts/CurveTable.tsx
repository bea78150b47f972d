/** Curves as numbers: some of their steps, with the first and the last one. */
import { formatCount } from '../../core/text.js';
import { type Curve, pointUpTo, someOf, valueText } from './curves.js';

/** Rows, at most. */
const ROWS = 20;

interface CurveTableProps {
  title: string;
  curves: readonly Curve[];
  steps: readonly number[];
  format: (value: number) => string;
}

export function CurveTable({ title, curves, steps, format }: CurveTableProps) {
  if (steps.length === 0) return null;
  return (
    <details class="curve-numbers">
      <summary>The curves as numbers</summary>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls by the arrow keys */}
      <section class="curve-scroll" aria-label={`${title}, as numbers`} tabIndex={0}>
        <table>
          <thead>
            <tr>
              <th scope="col">Step</th>
              {curves.map(({ name }) => (
                <th key={name} scope="col">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {someOf(steps, ROWS).map((step) => (
              <tr key={step}>
                <th scope="row">{formatCount(step)}</th>
                {curves.map(({ name, points }) => (
                  <td key={name}>{cellText(points, step, format)}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </details>
  );
}

/** The last value up to the step; none before the first and after the last one. */
function cellText(points: Curve['points'], step: number, format: (value: number) => string): string {
  const point = pointUpTo(points, step);
  return point && step <= points[points.length - 1][0] ? valueText(point[1], format) : '–';
}
