/** A list of things of which one is chosen. It is one tab stop: arrows, Home and End choose. */
import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';

interface OneOfProps<T extends string> {
  label: string;
  class?: string;
  items: readonly T[];
  chosen: T;
  onChoose: (item: T) => void;
  /** Enter on the chosen one. */
  onEnter?: (item: T) => void;
  /** What an item looks like, with its name for a screen reader in its text. */
  children: (item: T) => ComponentChildren;
}

/** Directions as [right, down]. */
const ARROWS: Readonly<Record<string, readonly [number, number]>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

export function OneOf<T extends string>({ label, class: name = '', items, chosen, onChoose, onEnter, children }: OneOfProps<T>) {
  const list = useRef<HTMLDivElement>(null);
  const options = () => Array.from(list.current?.children ?? []) as HTMLElement[];
  useLayoutEffect(() => {
    const element = list.current;
    const option = options()[items.indexOf(chosen)];
    if (element && option) element.scrollLeft = option.offsetLeft - (element.clientWidth - option.offsetWidth) / 2;
  }, [chosen]);
  const go = (to: number) => {
    const item = items[to];
    if (item === undefined) return;
    onChoose(item);
    options()[to]?.focus();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const arrow = ARROWS[event.key];
    if (arrow) go(nextTo(options(), items.indexOf(chosen), arrow));
    else if (event.key === 'Home') go(0);
    else if (event.key === 'End') go(items.length - 1);
    else if (event.key === 'Enter' && onEnter) onEnter(chosen);
    else return;
    event.preventDefault();
  };
  return (
    <div ref={list} class={`one-of ${name}`} role="listbox" aria-label={label} onKeyDown={onKeyDown}>
      {items.map((item) => (
        // biome-ignore lint/a11y/useKeyWithClickEvents: the list has the keys
        <div
          key={item}
          role="option"
          aria-selected={item === chosen}
          tabIndex={item === chosen ? 0 : -1}
          data-item={item}
          onClick={() => onChoose(item)}
        >
          {children(item)}
        </div>
      ))}
    </div>
  );
}

/** The place of the nearest option in this direction: options may lie in rows or columns. At an edge, the next or previous one. */
function nextTo(options: readonly HTMLElement[], from: number, [right, down]: readonly [number, number]): number {
  const boxes = options.map((option) => option.getBoundingClientRect());
  const here = boxes[from];
  if (!here) return 0;
  const distance = ({ left, top }: DOMRect) => {
    const [x, y] = [left - here.left, top - here.top];
    const along = right * x + down * y;
    return along < 1 ? Number.POSITIVE_INFINITY : along + 4 * Math.abs(right * y + down * x);
  };
  const distances = boxes.map(distance);
  const nearest = Math.min(...distances);
  return nearest < Number.POSITIVE_INFINITY ? distances.indexOf(nearest) : from + right + down;
}
