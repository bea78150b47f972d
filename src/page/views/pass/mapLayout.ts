/** Where the nodes and arrows of the map lie: derived from the forward graph and the lengths of the names. */

import type { TensorName } from '../../../lesson/entry.js';
import { gradientNamed, STEP_INPUTS, STEP_NAMES, type StepName } from '../../../lesson/values.js';
import { LESSON_PARAMETER_NAMES, type LessonParameterName } from '../../../network/parameters.js';

/** The lanes of the map, from top to bottom. */
export const LANES = ['value', 'parameter', 'parameterGradient', 'gradient'] as const;
export type Lane = (typeof LANES)[number];

/** A tensor on the map; sizes in CSS pixels. */
export interface MapNode {
  name: TensorName;
  lane: Lane;
  /** The name in lines of at most about 8 characters. */
  lines: readonly string[];
  x: number;
  y: number;
  width: number;
  height: number;
}

/** What a tensor passes on: a value to the step that reads it, a gradient to that of what the step read. */
export interface MapEdge {
  from: TensorName;
  to: TensorName;
  /** The path of an SVG. */
  path: string;
}

export interface MapGroup {
  label: string;
  x: number;
  width: number;
}

export interface NetworkMap {
  width: number;
  height: number;
  groups: readonly MapGroup[];
  nodes: readonly MapNode[];
  edges: readonly MapEdge[];
  /** A free place between the lanes, for their names. */
  legend: { x: number; forward: number; backward: number };
}

/** The layers of the network, each with its first step. */
const GROUPS: readonly (readonly [label: string, first: StepName])[] = [
  ['embedding', 'emb'],
  ['linear', 'hprebn'],
  ['batch norm', 'bnmeani'],
  ['tanh', 'h'],
  ['linear', 'logits'],
  ['cross-entropy', 'logit_maxes'],
];

const CHARACTER = 7.3;
const PADDING = 4;
const LEAST_WIDTH = 30;
const LONGEST_LINE = 8;
const Y = { group: 0, value: 32, parameter: 81, parameterGradient: 107, gradient: 134 } as const;
const NODE_HEIGHT = 48;
const CHIP_HEIGHT = 24;
const ARC = 13;
const HEIGHT = Y.gradient + NODE_HEIGHT + ARC + 3;

/** A long name in two lines, broken after an underscore. */
function linesOf(name: string): readonly string[] {
  if (name.length <= LONGEST_LINE) return [name];
  const breaks = Array.from(name.matchAll(/_/g), ({ index }) => index + 1);
  const longer = (at: number) => Math.max(at, name.length - at);
  const best = breaks.sort((a, b) => longer(a) - longer(b))[0];
  return best === undefined ? [name] : [name.slice(0, best), name.slice(best)];
}

const widthOf = (lines: readonly string[]) => Math.max(...lines.map((line) => line.length)) * CHARACTER + PADDING;

/** The map, stretched to a width if it needs less. */
export function networkMap(width: number): NetworkMap {
  const widths = STEP_NAMES.map((step) =>
    Math.max(LEAST_WIDTH, widthOf(linesOf(step)), step === 'loss' ? 0 : widthOf(linesOf(gradientNamed(step)))),
  );
  const needed = widths.reduce((sum, one) => sum + one, 0);
  const gap = Math.max(8, (width - needed) / (STEP_NAMES.length - 1));
  const lefts = widths.map((_, i) => widths.slice(0, i).reduce((sum, one) => sum + one + gap, 0));
  const column = (step: StepName) => {
    const i = STEP_NAMES.indexOf(step);
    return { x: lefts[i] as number, width: widths[i] as number };
  };
  const nodes = STEP_NAMES.flatMap((step): MapNode[] => {
    const own = (name: TensorName, lane: 'value' | 'gradient'): MapNode => ({
      name,
      lane,
      lines: linesOf(name),
      ...column(step),
      y: Y[lane],
      height: NODE_HEIGHT,
    });
    const chips = parametersOf(step);
    return [
      own(step, 'value'),
      ...chipsOf(chips, 'parameter', column(step)),
      ...chipsOf(chips.map(gradientNamed), 'parameterGradient', column(step)),
      ...(step === 'loss' ? [] : [own(gradientNamed(step), 'gradient')]),
    ];
  });
  const right = (step: StepName) => column(step).x + column(step).width;
  const groups = GROUPS.map(([label, first], i): MapGroup => {
    const next = GROUPS[i + 1]?.[1];
    const last = next === undefined ? 'loss' : (STEP_NAMES[STEP_NAMES.indexOf(next) - 1] as StepName);
    return { label, x: column(first).x, width: right(last) - column(first).x };
  });
  return {
    width: Math.floor(right('loss')),
    height: HEIGHT,
    groups,
    nodes,
    edges: edgesBetween(nodes),
    legend: { x: column('bnmeani').x, forward: Y.parameter, backward: Y.parameterGradient },
  };
}

function parametersOf(step: StepName): LessonParameterName[] {
  return LESSON_PARAMETER_NAMES.filter((name) => (step === 'loss' ? [] : STEP_INPUTS[step]).includes(name));
}

/** Parameters lie below the step that reads them, the last one at its right edge. */
function chipsOf(names: readonly TensorName[], lane: 'parameter' | 'parameterGradient', column: { x: number; width: number }): MapNode[] {
  let right = column.x + column.width;
  // A parameter and its gradient lie in one column, as wide as the longer name.
  const wide = (name: string) => Math.max(24, (lane === 'parameter' ? name.length + 1 : name.length) * CHARACTER + 6);
  const chips = [...names].reverse().map((name): MapNode => {
    const width = wide(name);
    const x = Math.max(0, right - width);
    right = x - 4;
    return { name, lane, lines: [name], x, y: Y[lane], width, height: CHIP_HEIGHT };
  });
  return chips.reverse();
}

function edgesBetween(nodes: readonly MapNode[]): MapEdge[] {
  const node = new Map(nodes.map((one) => [one.name, one]));
  const at = (name: TensorName) => node.get(name) as MapNode;
  return STEP_NAMES.flatMap((step) =>
    STEP_INPUTS[step].flatMap((input): MapEdge[] => {
      const forward = { from: input as TensorName, to: step as TensorName };
      const back = { from: (step === 'loss' ? 'loss' : gradientNamed(step)) as TensorName, to: gradientNamed(input) as TensorName };
      return [forward, back].map((edge) => ({ ...edge, path: pathBetween(at(edge.from), at(edge.to)) }));
    }),
  );
}

const HEAD = 4;

function pathBetween(from: MapNode, to: MapNode): string {
  const middle = ({ x, width }: MapNode) => x + width / 2;
  const chip = [from, to].find(({ lane }) => lane === 'parameter' || lane === 'parameterGradient');
  if (chip) {
    const x = middle(chip);
    const points = [
      [x, from.y],
      [x, to.y + to.height + 1],
    ] as const;
    return arrow(points, 'up');
  }
  const forward = from.lane === 'value' && to.lane === 'value';
  if (from.lane !== to.lane) {
    // From the loss into the backward pass.
    const y = to.y + NODE_HEIGHT - 8;
    return arrow(
      [
        [middle(from), from.y + from.height],
        [middle(from), y],
        [to.x + to.width + 2, y],
      ],
      'left',
    );
  }
  const y = forward ? from.y + 8 : from.y + from.height - 8;
  const near = forward ? to.x - (from.x + from.width) : from.x - (to.x + to.width);
  if (near < 30) {
    const [start, end] = forward ? [from.x + from.width + 1, to.x - 1] : [from.x - 1, to.x + to.width + 1];
    const points = [
      [start, y],
      [end, y],
    ] as const;
    return arrow(points, forward ? 'right' : 'left');
  }
  // A step between them does not read it: an arc around.
  const [edge, bend] = forward ? [from.y - 1, from.y - ARC] : [from.y + from.height + 1, from.y + from.height + ARC];
  const sign = forward ? 1 : -1;
  const start = middle(from) + (sign * from.width) / 6;
  const end = middle(to) - (sign * to.width) / 6;
  const base = edge - sign * HEAD;
  const head = `M${end - HEAD + 1} ${base} L${end} ${edge} L${end + HEAD - 1} ${base}`;
  return `M${start} ${edge} C${start} ${bend} ${start} ${bend} ${start + sign * 12} ${bend} L${end - sign * 12} ${bend} C${end} ${bend} ${end} ${bend} ${end} ${edge} ${head}`;
}

/** A line with a head at its end. */
function arrow(points: readonly (readonly [x: number, y: number])[], to: 'left' | 'right' | 'up'): string {
  const [x, y] = points[points.length - 1] as readonly [number, number];
  const head = {
    right: `M${x - HEAD} ${y - HEAD + 1} L${x} ${y} L${x - HEAD} ${y + HEAD - 1}`,
    left: `M${x + HEAD} ${y - HEAD + 1} L${x} ${y} L${x + HEAD} ${y + HEAD - 1}`,
    up: `M${x - HEAD + 1} ${y + HEAD} L${x} ${y} L${x + HEAD - 1} ${y + HEAD}`,
  }[to];
  return `M${points.map((point) => point.join(' ')).join(' L')} ${head}`;
}

/** The node that an arrow key leads to. */
export function neighbour(nodes: readonly MapNode[], from: MapNode, key: string): MapNode | undefined {
  const middle = ({ x, width }: MapNode) => x + width / 2;
  const lane = nodes.filter((one) => one.lane === from.lane);
  const place = lane.indexOf(from);
  if (key === 'ArrowRight') return lane[place + 1];
  if (key === 'ArrowLeft') return lane[place - 1];
  if (key === 'Home') return lane[0];
  if (key === 'End') return lane[lane.length - 1];
  if (key !== 'ArrowUp' && key !== 'ArrowDown') return undefined;
  const other = LANES[LANES.indexOf(from.lane) + (key === 'ArrowUp' ? -1 : 1)];
  const distance = (one: MapNode) => Math.abs(middle(one) - middle(from));
  return nodes.filter((one) => one.lane === other).sort((a, b) => distance(a) - distance(b))[0];
}
