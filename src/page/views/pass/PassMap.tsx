/** The whole pass at a glance: the network with its values and gradients, where you are, and what flows where. */

import { useEffect, useMemo, useState } from 'preact/hooks';
import type { TensorName } from '../../../lesson/entry.js';
import type { PassData } from '../../engine/pass.js';
import { largestFinite } from '../../parts/colors.js';
import { Picture } from '../../parts/Picture.js';
import { useWidth } from '../../parts/useWidth.js';
import { state } from '../../state.js';
import { jumpTo, stepOf } from './jump.js';
import { type MapNode, neighbour, networkMap } from './mapLayout.js';
import { isReplaced, placeOf } from './steps.js';

/** The widest that the map is stretched to. */
const WIDEST = 1392;

export function PassMap({ data }: { data: PassData }) {
  const { step, form } = state.value;
  const { element: scroller, width } = useWidth<HTMLElement>(1216);
  const map = useMemo(() => networkMap(Math.min(WIDEST, width)), [width]);
  const [focused, setFocused] = useState<TensorName>(step);
  const current = map.nodes.find(({ name }) => name === step);
  useEffect(() => {
    setFocused(step);
    const seen = scroller.current;
    if (seen && current) seen.scrollLeft = current.x + current.width / 2 - seen.clientWidth / 2;
  }, [step, map]);
  const onKeyDown = (event: KeyboardEvent) => {
    const from = map.nodes.find(({ name }) => name === focused);
    const to = from && neighbour(map.nodes, from, event.key);
    if (!to || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    setFocused(to.name);
    scroller.current?.querySelector<HTMLElement>(`[data-node="${to.name}"]`)?.focus();
  };
  return (
    <nav ref={scroller} class="map" aria-label="Steps of the pass" onKeyDown={onKeyDown}>
      <div class="map-sheet" style={{ width: `${map.width}px`, height: `${map.height}px` }}>
        {map.groups.map(({ label, x, width: wide }) => (
          <span key={label + x} class="map-group" style={{ left: `${x}px`, width: `${wide}px` }}>
            {label}
          </span>
        ))}
        <svg class="map-edges" width={map.width} height={map.height} aria-hidden="true">
          {map.edges.map(({ from, to, path }) => (
            <path key={`${from} ${to}`} d={path} data-now={stepOf(to) === step || undefined} data-done={isDone(to, step) || undefined} />
          ))}
        </svg>
        <span class="map-lane" style={{ left: `${map.legend.x}px`, top: `${map.legend.forward}px` }}>
          values, forward →
        </span>
        <span class="map-lane" style={{ left: `${map.legend.x}px`, top: `${map.legend.backward}px` }}>
          ← gradients, backward
        </span>
        {map.nodes.map((node) => (
          <Node
            key={node.name}
            node={node}
            data={data}
            now={node.name === step}
            done={isDone(node.name, step)}
            replaced={form === 'closed' && isReplaced(node.name)}
            isStop={node.name === focused}
          />
        ))}
      </div>
    </nav>
  );
}

const LARGEST = new WeakMap<PassData, number>();

/** The largest magnitude of all tensors. */
function largestOf(data: PassData): number {
  const known = LARGEST.get(data) ?? Math.max(...Object.values(data.tensors).map((tensor) => largestFinite(tensor.data)));
  LARGEST.set(data, known);
  return known;
}

/** Whether a tensor is known at a step. Parameters are from the start. */
function isDone(name: TensorName, step: TensorName): boolean {
  return placeOf(name) <= placeOf(step);
}

interface NodeProps {
  node: MapNode;
  data: PassData;
  now: boolean;
  done: boolean;
  replaced: boolean;
  isStop: boolean;
}

function Node({ node: { name, lane, lines, x, y, width, height }, data, now, done, replaced, isStop }: NodeProps) {
  const tensor = data.tensors[name];
  const hasPicture = lane === 'value' || lane === 'gradient';
  const { log, sameScale } = state.value;
  const scale = { most: sameScale ? largestOf(data) : largestFinite(tensor.data), log };
  return (
    <button
      type="button"
      class="map-node"
      data-node={name}
      data-lane={lane}
      data-done={done || undefined}
      data-replaced={replaced || undefined}
      aria-current={now ? 'step' : undefined}
      aria-label={name}
      tabIndex={isStop ? 0 : -1}
      style={{ left: `${x}px`, top: `${y}px`, width: `${width}px`, height: `${height}px` }}
      onClick={() => jumpTo(name)}
    >
      {hasPicture && (
        <span class="map-picture">
          <Picture tensor={tensor} scale={scale} />
        </span>
      )}
      <span class="map-name">
        {lines.map((line) => (
          <span key={line}>{line}</span>
        ))}
      </span>
    </button>
  );
}
