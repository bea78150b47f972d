import { useEffect, useRef } from 'preact/hooks';

/** Files may be dropped anywhere on the page while a view is open. Text that is dragged goes where it is dropped. */
export function useDroppedFiles(take: (files: readonly File[]) => void): void {
  const latest = useRef(take);
  latest.current = take;
  useEffect(() => {
    const holdsFiles = (event: DragEvent) => event.dataTransfer?.types.includes('Files') ?? false;
    const onDragOver = (event: DragEvent) => {
      if (holdsFiles(event)) event.preventDefault();
    };
    const onDrop = (event: DragEvent) => {
      if (!holdsFiles(event)) return;
      event.preventDefault();
      latest.current([...(event.dataTransfer?.files ?? [])]);
    };
    addEventListener('dragover', onDragOver);
    addEventListener('drop', onDrop, true);
    return () => {
      removeEventListener('dragover', onDragOver);
      removeEventListener('drop', onDrop, true);
    };
  }, []);
}
