// A module worker: fetches the kernels and the names, trains, and posts the result.
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import type * as Core from '../../src/index.js';
import { trainLesson } from './trainLesson.js';

declare const postMessage: (message: unknown) => void;

/** The bytes of a file in this script's directory. */
async function fetchBytes(file: string): Promise<Uint8Array<ArrayBuffer>> {
  const response = await fetch(new URL(file, import.meta.url));
  if (!response.ok) throw new Error(`${file}: HTTP status ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}

// A variable, so that the bundler keeps the import: the bundle under test is a file of its own.
const CORE = new URL('index.js', import.meta.url).href;
const core: typeof Core = await import(CORE);
const kernels = await WebAssembly.compile(await fetchBytes('kernels.wasm'));
postMessage(trainLesson(core, kernels, await fetchBytes('names.txt'), (bytes) => bytesToHex(sha256(bytes))));
