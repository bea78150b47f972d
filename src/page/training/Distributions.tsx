/** Distributions of some tensors, one below the other: a histogram, its mean and its deviation each. */
import { formatCount } from '../../core/text.js';
import type { Histogram, Spread } from '../../training/diagnostics.js';
import { SATURATED } from '../../training/diagnostics.js';
import { showNumber } from '../parts/numbers.js';

export interface Row {
  name: string;
  spread: Spread;
  /** More columns. */
  facts?: readonly string[];
}

interface DistributionsProps {
  title: string;
  /** The lesson's name of the tensor. */
  tensor?: string;
  note?: string;
  rows: readonly Row[];
  /** The headings of the rows' facts. */
  facts?: readonly string[];
  /** Marks where tanh is saturated. */
  saturation?: boolean;
}

/** Rows from which histograms are lower. */
const MANY = 3;

export function Distributions({ title, tensor, note = '', rows, facts = [], saturation = false }: DistributionsProps) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls by the arrow keys where it is narrow
    <section class="distributions" aria-label={tensor === undefined ? title : `${title}, ${tensor}`} tabIndex={0}>
      <table>
        <caption>
          {title} {tensor !== undefined && <code>{tensor}</code>} {note !== '' && <span class="waiting">{note}</span>}
        </caption>
        <thead>
          <tr>
            <td />
            <th scope="col">
              <span class="unseen">histogram</span>
            </th>
            <th scope="col">mean</th>
            <th scope="col">deviation</th>
            {facts.map((fact) => (
              <th key={fact} scope="col">
                {fact}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.name}>
              <th scope="row">{row.name}</th>
              <td class="distribution" data-low={rows.length > MANY || undefined}>
                <HistogramPicture {...row} saturation={saturation} />
              </td>
              <td data-label="mean">{numberText(row.spread.mean)}</td>
              <td data-label="deviation">{numberText(row.spread.std)}</td>
              {row.facts?.map((fact, i) => (
                <td key={facts[i]} data-label={facts[i]}>
                  {fact}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

/** 3 significant digits; a dash where a number is not finite or not defined. */
function numberText(value: number | null): string {
  return value === null ? '–' : showNumber(Number(value.toPrecision(3)));
}

/** 4.1 % */
export function percent(share: number): string {
  const value = 100 * share;
  return `${value === 0 || value >= 99.95 ? value.toFixed(0) : value < 0.1 ? '< 0.1' : value.toFixed(1)}\u00a0%`;
}

function HistogramPicture({ name, spread: { histogram, mean, std }, saturation }: Row & { saturation: boolean }) {
  if (!histogram) return <span class="waiting">{mean === 0 && std === 0 ? 'all values are 0' : 'not finite'}</span>;
  const { from, to, counts } = histogram;
  const total = counts.reduce((sum, count) => sum + count, 0);
  const label = `${name}: ${formatCount(total)} values from ${showNumber(from)} to ${showNumber(to)}, mean ${numberText(mean)}, deviation ${numberText(std)}`;
  const place = (value: number) => ((value - from) / (to - from)) * counts.length;
  return (
    <>
      <svg viewBox={`0 0 ${counts.length} 100`} preserveAspectRatio="none" role="img" aria-label={label}>
        {saturation && [-SATURATED, SATURATED].map((limit) => <path key={limit} class="saturation" d={`M${place(limit)},0V100`} />)}
        <path class="bars" d={barsOf(histogram)} />
        <path class="zero" d={`M${place(0)},0V100`} />
      </svg>
      <span class="ends" aria-hidden="true">
        <span>{showNumber(Number(from.toPrecision(2)))}</span>
        <span>{showNumber(Number(to.toPrecision(2)))}</span>
      </span>
    </>
  );
}

/** The outline of the bars, in a box of one unit per interval and 100 units in height. */
function barsOf({ counts }: Histogram): string {
  const most = Math.max(1, ...counts);
  return `M0,100${counts.map((count, i) => `V${(100 - (100 * count) / most).toFixed(1)}H${i + 1}`).join('')}V100Z`;
}
