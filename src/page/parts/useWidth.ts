/** The width that an element has, as it changes. */
import { useLayoutEffect, useRef, useState } from 'preact/hooks';

/** @param initial the width before the element is laid out */
export function useWidth<E extends HTMLElement>(initial: number) {
  const element = useRef<E>(null);
  const [width, setWidth] = useState(initial);
  useLayoutEffect(() => {
    const seen = element.current;
    if (!seen) return;
    setWidth(seen.clientWidth);
    const observer = new ResizeObserver(() => setWidth(seen.clientWidth));
    observer.observe(seen);
    return () => observer.disconnect();
  }, []);
  return { element, width };
}
