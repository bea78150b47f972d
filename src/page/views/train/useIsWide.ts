import { useEffect, useState } from 'preact/hooks';

const query = matchMedia('(min-width: 901px)');

/** Whether there is room for two columns. */
export function useIsWide(): boolean {
  const [isWide, setWide] = useState(query.matches);
  useEffect(() => {
    const follow = () => setWide(query.matches);
    query.addEventListener('change', follow);
    return () => query.removeEventListener('change', follow);
  }, []);
  return isWide;
}
