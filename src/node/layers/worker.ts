/**
 * A process that checks the layers of a file. The layers' code runs here, beside the checker. What the parent gets is data, and it ends this
 * process when a layer takes too long or too much memory.
 */
import { pathToFileURL } from 'node:url';
import { randomStream } from '../../core/random.js';
import { describeThrown } from '../../dojo/outcome.js';
import { thrownText } from '../../dojo/sentences.js';
import { checkLayer } from '../../gradCheck/anyLayer/checkLayer.js';
import { replaceFloat32Array } from '../../gradCheck/anyLayer/float64.js';
import type { Layer } from '../../gradCheck/anyLayer/layer.js';
import { probe } from '../../gradCheck/anyLayer/precision.js';
import type { LayerReport } from '../../gradCheck/anyLayer/report.js';
import { settle, startHost } from '../guest/host.js';
import { LIBRARY } from '../paths.js';
import { layersIn } from './layersIn.js';
import { located } from './located.js';
import { type Assignment, MAX_NUMBERS, type Reply, type Request, refusedReport } from './protocol.js';

const { assignment, context, reply, stop, requests, restartTime, load } = startHost<Assignment, Reply>();

const CHECKER = 'backprop-ninja/gradcheck';

/** Loads the file. Its imports may need the paths of a tsconfig.json, which is not read before: it may be broken. */
async function loadLayers(): ReturnType<typeof load> {
  // Parameters that a file draws while it is loaded are the same each time, and in each process.
  Math.random = randomStream('grad-check', 'Math.random');
  if (!assignment.float32) replaceFloat32Array();
  const options = {
    // A module that two others import is one module.
    moduleCache: true,
    // The program's own copy: the file needs no node_modules. The layers' Tensor is the checker's.
    virtualModules: { [CHECKER]: await import(pathToFileURL(LIBRARY[CHECKER]).href) },
    alias: LIBRARY,
  };
  const loaded = await load(options);
  if (!('fault' in loaded) || loaded.fault.id !== 'file-threw' || !/Cannot find (module|package)/.test(loaded.fault.thrown.text))
    return loaded;
  const again = await load({ ...options, tsconfigPaths: true });
  return 'fault' in again ? loaded : again;
}

async function check(layer: Layer | undefined, { name, seed }: Request): Promise<LayerReport> {
  const { float32 } = assignment;
  if (!layer) return refusedReport(name, float32, { id: 'threw', text: 'the file no longer exports it' });
  try {
    return await checkLayer(layer, { name, float32, ...(seed !== undefined && { seed }) });
  } catch (thrown) {
    return refusedReport(name, float32, { id: 'threw', text: thrownText(describeThrown(thrown, context)) });
  }
}

/** The first numbers of a call. */
async function numbersOf(layer: Layer | undefined, { seed = 0 }: Request): Promise<number[] | null> {
  try {
    const probed = layer && (await probe(layer, seed, assignment.float32 ? 'plain' : 'swapped'));
    return probed ? Array.from(probed.numbers.slice(0, MAX_NUMBERS)) : null;
  } catch {
    return null;
  }
}

async function run(): Promise<void> {
  const loaded = await loadLayers();
  if ('fault' in loaded) return stop(loaded.fault);
  const { layers, others } = layersIn(loaded.exports);
  await settle();
  reply({ id: 0, kind: 'loaded', layers: [...layers.keys()], others });
  for (const { id, frame } of requests()) {
    restartTime();
    const request = frame.header as Request;
    const found = layers.get(request.name);
    const layer = found && located(found, context);
    const result =
      request.kind === 'check'
        ? ({ id, kind: 'checked', report: await check(layer, request) } as const)
        : ({ id, kind: 'probed', numbers: await numbersOf(layer, request) } as const);
    await settle();
    reply(result);
  }
}

await run();
