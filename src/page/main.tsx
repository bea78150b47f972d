/** Starts the page. */
import { render } from 'preact';
import { App } from './App.js';
import { ask } from './engine/client.js';
import { restoreNames } from './ownNames.js';
import { followAddress, followPass } from './state.js';

followAddress();
void restoreNames().then(followPass);
render(<App />, document.getElementById('app') as HTMLElement);

// For the browser's console: await backpropNinja.ask('pass', { seed: 1, batch: 0, n: 4, names: null })
Object.assign(globalThis, { backpropNinja: { ask } });
