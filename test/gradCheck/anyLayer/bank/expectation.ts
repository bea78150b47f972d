/** What a checker should say of a layer: right, or wrong in `input`, with every name (`ids`) that would be true of the mistake. */
export type Expectation = 'right' | { input: string; ids: string[]; why: string; other?: string[] };
