/** Starts the page. */
import { render } from 'preact';
import { App } from './App.js';
import { ask, start } from './engine/client.js';
import { followFailures } from './failures.js';
import { restoreNames } from './ownNames.js';
import { pageRun, readPageRun } from './pageRun.js';
import { followAddress, followPass } from './state.js';

followFailures();
followAddress();
void begin();
render(<App />, document.getElementById('app') as HTMLElement);

/** A file with a run shows the run, not the names of an earlier visit. */
async function begin(): Promise<void> {
  await readPageRun();
  try {
    if (!pageRun.value) await restoreNames();
  } finally {
    followPass();
  }
}

// For the browser's console: await backpropNinja.ask('pass', { seed: 1, batch: 0, n: 4, names: null })
Object.assign(globalThis, { backpropNinja: { ask, start } });
