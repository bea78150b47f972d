/**
 * docs/pictures/network.svg: the lesson's network, step by step, with its gradients flowing back.
 *
 * The edges are STEP_INPUTS; the shapes and the sizes of the gradients come from a forward and a backward pass through the lesson's
 * exercise network (H 64) on a batch of 32. Only the positions are chosen by hand.
 *
 *     npm run pictures
 */
import { type Shape, showShape } from '../../src/core/tensor.js';
import { createLessonCase, LESSON_CONFIG } from '../../src/lesson/case.js';
import { backward } from '../../src/lesson/exercise1.js';
import { STEP_INPUTS, STEP_NAMES, VALUE_NAMES, type ValueName } from '../../src/lesson/values.js';
import { LESSON_PARAMETER_NAMES } from '../../src/network/parameters.js';
import { escapeXml, MONOSPACE, writePicture } from './svg.js';

type NodeName = ValueName | 'loss' | 'Xb' | 'Yb';

interface Place {
  /** Counted from 0. Two parameters share a column, left and right of its middle: their numbers are fractions. */
  column: number;
  /** 0 to 2: the first half of the network; 3 to 5: the second. */
  lane: number;
}

const PLACES: Record<NodeName, Place> = {
  Xb: { column: 0, lane: 0 },
  bnmeani: { column: 2, lane: 0 },
  bndiff2: { column: 3, lane: 0 },
  bnvar: { column: 4, lane: 0 },
  bnvar_inv: { column: 5, lane: 0 },

  emb: { column: 0, lane: 1 },
  embact: { column: 1, lane: 1 },
  hprebn: { column: 2, lane: 1 },
  bndiff: { column: 3, lane: 1 },
  bnraw: { column: 5, lane: 1 },
  hpreact: { column: 6, lane: 1 },

  C: { column: 0, lane: 2 },
  W1: { column: 1.765, lane: 2 },
  b1: { column: 2.235, lane: 2 },
  bngain: { column: 5.765, lane: 2 },
  bnbias: { column: 6.235, lane: 2 },

  logit_maxes: { column: 1, lane: 3 },
  counts_sum: { column: 3, lane: 3 },
  counts_sum_inv: { column: 4, lane: 3 },
  Yb: { column: 6, lane: 3 },

  h: { column: 0, lane: 4 },
  logits: { column: 1, lane: 4 },
  norm_logits: { column: 2, lane: 4 },
  counts: { column: 3, lane: 4 },
  probs: { column: 4, lane: 4 },
  logprobs: { column: 5, lane: 4 },
  loss: { column: 6, lane: 4 },

  W2: { column: 0.765, lane: 5 },
  b2: { column: 1.235, lane: 5 },
};

/** The layers, as rectangles of cells (from a column and a lane to others, both included), and where the middle of the label is. */
const LAYERS: { name: string; label: Place; cells: [from: Place, to: Place][] }[] = [
  {
    name: 'embedding',
    label: at(1, 1.95),
    cells: [
      [at(0, 0), at(0, 2)],
      [at(0, 1), at(1, 2)],
    ],
  },
  { name: 'linear', label: at(2.7, 1.95), cells: [[at(2, 1), at(2, 2)]] },
  {
    name: 'batch norm',
    label: at(4, 1.3),
    cells: [
      [at(2, 0), at(5, 0)],
      [at(3, 0), at(6, 1)],
      [at(6, 1), at(6, 2)],
    ],
  },
  { name: 'tanh', label: at(0, 4.62), cells: [[at(0, 4), at(0, 4)]] },
  { name: 'linear', label: at(1.7, 4.95), cells: [[at(1, 4), at(1, 5)]] },
  {
    name: 'cross-entropy',
    label: at(5, 3),
    cells: [
      [at(1, 3), at(6, 3)],
      [at(2, 3), at(6, 4)],
    ],
  },
];

function at(column: number, lane: number): Place {
  return { column, lane };
}

const MARGIN = 12;
const COLUMN = 136;
const LANE = 78;
/** Height of the space between the two halves, where the line from hpreact to h runs. */
const GUTTER = 30;
const NODE = { width: 106, height: 54 };
const HALF_WIDTH = 60;
/** Distance of a forward line, and of its gradient's line, from the middle. */
const APART = 4;
/** Distance from the middle of a box at which an elbow begins and ends. */
const ELBOW = 16;
const RADIUS = 5;
const LEGEND = 44;

const width = 2 * MARGIN + 7 * COLUMN;
const height = 2 * MARGIN + 6 * LANE + GUTTER + LEGEND;

interface Box {
  x: number;
  y: number;
  width: number;
}

function center({ column, lane }: Place): { x: number; y: number } {
  return { x: MARGIN + (column + 0.5) * COLUMN, y: MARGIN + (lane + 0.5) * LANE + (lane > 2 ? GUTTER : 0) };
}

function boxOf(name: NodeName): Box {
  return { ...center(PLACES[name]), width: PLACES[name].column % 1 === 0 ? NODE.width : HALF_WIDTH };
}

type Point = readonly [x: number, y: number];

/** The lines between a step's input and the step: one forward, and one for the gradient, back. */
function edge(from: NodeName, to: NodeName, hasGradient: boolean): string[] {
  const [a, b] = [boxOf(from), boxOf(to)];
  const path = to === 'h' ? wrappedPath : Math.abs(b.x - a.x) < COLUMN / 2 ? verticalPath : a.y === b.y ? horizontalPath : elbowPath;
  if (!hasGradient) return [line('forward', path(a, b, 0))];
  return [line('forward', path(a, b, APART)), line('gradient', path(a, b, -APART).reverse())];
}

/** Points from one box to another, `by` above or to the left of the middle. */
type Path = (a: Box, b: Box, by: number) => Point[];

const horizontalPath: Path = (a, b, by) => [
  [a.x + a.width / 2, a.y - by],
  [b.x - b.width / 2, a.y - by],
];

/** At the middle of the narrower box. */
const verticalPath: Path = (a, b, by) => {
  const x = (a.width < b.width ? a.x : b.x) - by;
  const half = (Math.sign(b.y - a.y) * NODE.height) / 2;
  return [
    [x, a.y + half],
    [x, b.y - half],
  ];
};

/** Down through the gap between two columns. */
const elbowPath: Path = (a, b, by) => {
  const [right, left] = [a.x + a.width / 2, b.x - b.width / 2];
  const gap = (right + left) / 2 + by;
  const [above, below] = [a.y + ELBOW - by, b.y - ELBOW - by];
  return [
    [right, above],
    [gap, above],
    [gap, below],
    [left, below],
  ];
};

/** From the end of the first half to the beginning of the second: around, through the gutter. */
const wrappedPath: Path = (a, b, by) => {
  const right = a.x + a.width / 2;
  const outside = right + 18 - by;
  const gutter = MARGIN + 3 * LANE + GUTTER / 2 - by;
  return [
    [right, a.y - by],
    [outside, a.y - by],
    [outside, gutter],
    [b.x - by, gutter],
    [b.x - by, b.y - NODE.height / 2],
  ];
};

/** Lines from point to point, with round corners. */
function line(kind: 'forward' | 'gradient', points: readonly Point[]): string {
  const show = ([x, y]: Point) => `${round(x)} ${round(y)}`;
  const before = ([x, y]: Point, [X, Y]: Point): Point => {
    const share = Math.min(0.5, RADIUS / Math.hypot(X - x, Y - y));
    return [x + (X - x) * share, y + (Y - y) * share];
  };
  const corners = points
    .slice(1, -1)
    .map((corner, i) => `L${show(before(corner, points[i]))}Q${show(corner)} ${show(before(corner, points[i + 2]))}`);
  const end = points[points.length - 1];
  return `<path class="${kind}" d="M${show(points[0])}${corners.join('')}L${show(end)}" marker-end="url(#${kind})"/>`;
}

function round(x: number): number {
  return Math.round(10 * x) / 10;
}

function layer({ name, label, cells }: (typeof LAYERS)[number]): string[] {
  const rectangles = cells.map(([from, to]) => {
    const [a, b] = [center(from), center(to)];
    const [w, h] = [COLUMN - 8, LANE - 8];
    return `<rect class="layer" x="${a.x - w / 2}" y="${a.y - h / 2}" width="${b.x - a.x + w}" height="${b.y - a.y + h}" rx="10"/>`;
  });
  const { x, y } = center(label);
  return [...rectangles, `<text class="label" x="${x}" y="${y + 4}">${name}</text>`];
}

/** A tensor: its name, its shape, and how large its gradient is. */
function node(name: NodeName, shape: Shape, gradientSize?: number): string[] {
  const { x, y, width: w } = boxOf(name);
  const kind = (LESSON_PARAMETER_NAMES as readonly string[]).includes(name) ? 'parameter' : gradientSize === undefined ? 'input' : 'value';
  const lines: [cssClass: string, text: string][] = [
    ['name', name],
    ['shape', showShape(shape)],
  ];
  if (gradientSize !== undefined) lines.push(['size', `∂ ${showSize(gradientSize)}`]);
  return [
    `<rect class="node ${kind}" x="${x - w / 2}" y="${y - NODE.height / 2}" width="${w}" height="${NODE.height}" rx="6"/>`,
    ...lines.map(
      ([cssClass, text], i) =>
        `<text class="${cssClass}" x="${x}" y="${y + 4 + 16 * (i - (lines.length - 1) / 2)}">${escapeXml(text)}</text>`,
    ),
  ];
}

/** Two digits. Below 1e-12, it is the rounding error of a gradient that is zero. */
function showSize(size: number): string {
  return size < 1e-12 ? '0' : size.toExponential(1).replace('e+0', '').replace('e-', 'e−');
}

function rootMeanSquare(values: ArrayLike<number>): number {
  return Math.sqrt(Array.from(values).reduce((sum, value) => sum + value * value, 0) / values.length);
}

function legend(): string[] {
  const y = height - MARGIN - 12;
  const items: [number, string[]][] = [
    [
      0,
      [
        line('forward', [
          [0, 0],
          [30, 0],
        ]),
        '<text class="note" x="38" y="4">forward</text>',
      ],
    ],
    [
      118,
      [
        line('gradient', [
          [30, 0],
          [0, 0],
        ]),
        '<text class="note" x="38" y="4">gradient: 26, a line of code each</text>',
      ],
    ],
    [392, ['<rect class="node parameter" x="0" y="-8" width="24" height="16" rx="4"/><text class="note" x="32" y="4">parameter</text>']],
    [
      508,
      [
        '<text class="size" style="text-anchor: start" x="0" y="4">∂ 1.2e−3</text><text class="note" x="64" y="4">root mean square of the gradient, on a batch of 32</text>',
      ],
    ],
  ];
  return items.map(([x, body]) => `<g transform="translate(${MARGIN + 8 + x} ${y})">${body.join('')}</g>`);
}

const { values } = createLessonCase(LESSON_CONFIG, 32, 1);
const gradients = backward(values);

writePicture('network.svg', {
  width,
  height,
  title: `The lesson's network as ${STEP_NAMES.length} elementary steps from the batch Xb to the loss, and the ${VALUE_NAMES.length} gradients that flow back`,
  colors: {
    text: { light: '#1f2328', dark: '#e6edf3' },
    muted: { light: '#59636e', dark: '#9198a1' },
    layer: { light: '#f0f3f6', dark: '#171d26' },
    node: { light: '#ffffff', dark: '#0d1117' },
    outline: { light: '#d1d9e0', dark: '#3d444d' },
    forward: { light: '#8a94a0', dark: '#6e7781' },
    gradient: { light: '#bc4c00', dark: '#f0883e' },
    parameter: { light: '#0969da', dark: '#4493f8' },
  },
  style: `
text { font: 11.5px ${MONOSPACE}; text-anchor: middle; fill: var(--text); }
.name { font-weight: 600; }
.shape, .note { fill: var(--muted); font-size: 10.5px; }
.size { fill: var(--gradient); font-size: 10.5px; }
.label { fill: var(--muted); font: italic 13px system-ui, sans-serif; }
.note { font: 12px system-ui, sans-serif; text-anchor: start; }
.layer { fill: var(--layer); }
.node { fill: var(--node); stroke: var(--outline); }
.parameter { stroke: var(--parameter); stroke-width: 1.5; }
.input { stroke-dasharray: 4 3; }
path { fill: none; stroke-width: 1.5; }
.forward { stroke: var(--forward); }
.gradient { stroke: var(--gradient); }
.head { stroke: none; }
`,
  body: [
    '<defs>',
    ...(['forward', 'gradient'] as const).map(
      (kind) =>
        `<marker id="${kind}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="6" markerHeight="6" markerUnits="userSpaceOnUse" orient="auto"><path class="head" d="M0 0L8 4L0 8z" style="fill: var(--${kind})"/></marker>`,
    ),
    '</defs>',
    ...LAYERS.flatMap(layer),
    ...STEP_NAMES.flatMap((step) => STEP_INPUTS[step].flatMap((input) => edge(input, step, true))),
    ...edge('Xb', 'emb', false),
    ...edge('Yb', 'loss', false),
    ...VALUE_NAMES.flatMap((name) => node(name, values[name].shape, rootMeanSquare(gradients[`d${name}`].data))),
    ...node('loss', values.loss.shape, 1),
    ...node('Xb', values.Xb.shape),
    ...node('Yb', values.Yb.shape),
    ...legend(),
  ],
});
