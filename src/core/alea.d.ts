/** One generator of seedrandom. Its main module would load the others and node:crypto, a tenth of the start-up time of `sample`. */
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
  /** With a state to continue from, the seed has no effect. */
  const alea: (seed: string, options: { state: true | State }) => Alea;
  export default alea;
}
