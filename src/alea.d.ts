/** One generator of seedrandom: its main module would load the others and node:crypto, a tenth of what `sample` takes to start. */
declare module 'seedrandom/lib/alea.js' {
  interface Alea {
    (): number;
    state(): { c: number; s0: number; s1: number; s2: number };
  }
  const alea: (seed: string, options: { state: true }) => Alea;
  export default alea;
}
