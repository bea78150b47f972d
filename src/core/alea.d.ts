/** One generator of seedrandom: its main module would load the others and node:crypto, a tenth of what `sample` takes to start. */
declare module 'seedrandom/lib/alea.js' {
  interface State {
    c: number;
    s0: number;
    s1: number;
    s2: number;
  }
  interface Alea {
    (): number;
    state(): State;
  }
  /** With a state to go on from, the seed does not matter. */
  const alea: (seed: string, options: { state: true | State }) => Alea;
  export default alea;
}
