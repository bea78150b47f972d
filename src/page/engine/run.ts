/** The run in the page's file, if it holds one: `backprop-ninja open --run` writes it there. */
import { createDataset, type Dataset } from '../../data/dataset.js';
import { type PageRun, readRunData } from '../../run/pageData.js';
import { bundledNames } from './names.js';

let run: (PageRun & { dataset: Dataset }) | undefined;

/** The run with the data set from which its batches are drawn. */
export function runInPage(): (PageRun & { dataset: Dataset }) | undefined {
  return run;
}

/** What the page shows of a run. */
export interface RunSummary {
  name: string;
  /** Steps done. */
  step: number;
}

export const runMethods = {
  /**
   * Reads the data in the page's file.
   * @returns null if it holds no run
   * @throws FileContentError if it is damaged
   */
  useRun(json: string): RunSummary | null {
    const read = readRunData(json);
    if (!read) return null;
    run = { ...read, dataset: createDataset(read.names ?? bundledNames(), read) };
    return { name: read.name, step: read.step };
  },
};
