/** A classic worker from a Blob: the only kind that starts from file:// in every browser. */
export function workerFrom(source: string): Worker {
  const url = URL.createObjectURL(new Blob([source], { type: 'text/javascript' }));
  const worker = new Worker(url);
  URL.revokeObjectURL(url);
  return worker;
}
