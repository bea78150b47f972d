/** The report on a file of gradients, as lines of text. */
import { showShape } from '../../core/tensor.js';
import { quoteName } from '../../core/text.js';
import type { AgainstReport, AgainstRow } from '../../dojo/against/report.js';
import type { Paint } from '../terminal/colors.js';
import { type Align, formatCount, formatDifference, formatTable } from '../terminal/format.js';

/** At most this many unknown tensors are listed. */
const MOST_LINES = 50;

const COLUMNS: readonly { title: string; align: Align }[] = [
  { title: 'tensor', align: 'left' },
  { title: 'shape', align: 'left' },
  { title: 'error', align: 'right' },
  { title: 'limit', align: 'right' },
  { title: 'exact', align: 'left' },
  { title: 'ULPs', align: 'right' },
  { title: '', align: 'left' },
];

/** A line per tensor, those that cannot be judged, which gradients the file holds, and the verdict. */
export function reportLines({ tensors, unknown, duplicate, absent, compared, of, ok }: AgainstReport, paint: Paint): string[] {
  const cells = [COLUMNS.map(({ title }) => title), ...tensors.map(cellsOf)];
  const [head, ...rows] = formatTable(
    cells,
    COLUMNS.map(({ align }) => align),
  );
  const unclear = [
    ...unknown.map(({ name, suggestion }) => {
      const meant = suggestion === null ? '' : `; did you mean ${suggestion}?`;
      return `${quoteName(name, '"')}: not compared, because there is no such tensor${meant}`;
    }),
    ...duplicate.map(({ name, of: own }) => `${quoteName(name, '"')}: the file also holds ${own}, which is the same tensor`),
  ];
  const wrong = tensors.filter((row) => !row.ok).map(({ name }) => name);
  return [
    paint.dim(head),
    ...rows.map((line, i) => (tensors[i].ok ? line : paint.red(line))),
    '',
    ...unclear.slice(0, MOST_LINES).map((line) => paint.red(line)),
    ...(unclear.length > MOST_LINES ? [paint.red(`and ${formatCount(unclear.length - MOST_LINES)} more`)] : []),
    ...(unclear.length > 0 ? [''] : []),
    `${compared} of ${of} gradients compared${absent.length > 0 ? `; absent: ${absent.join(', ')}` : ''}`,
    ok ? paint.green('all right') : paint.red(wrong.length > 0 ? `wrong: ${wrong.join(', ')}` : 'a name is not clear'),
  ];
}

function cellsOf({ name, shape, expectedShape, error, limit, exact, maxUlps, ok, found, expected }: AgainstRow): string[] {
  const figure = (value: number | null) => (value === null ? '-' : formatDifference(value));
  const problem =
    error === null ? `shape ${showShape(shape)}, expected ${showShape(expectedShape)}` : `found ${found}, expected ${expected}`;
  return [
    name,
    showShape(shape),
    figure(error),
    figure(limit),
    exact === null ? '-' : exact ? 'yes' : 'no',
    maxUlps === null ? '-' : formatUlps(maxUlps),
    ok ? 'ok' : `FAILED: ${problem}`,
  ];
}

/** Large distances need no exact figure. */
function formatUlps(ulps: number): string {
  return ulps < 1e6 ? formatCount(ulps) : ulps.toExponential(1);
}
