/** A file of layers, as the command checks it: its process checks one layer after the other. Every layer gets a report, whatever it does. */
import { FileContentError } from '../../core/errors.js';
import { showPath } from '../../core/text.js';
import type { FileFault } from '../../dojo/findings.js';
import { sentenceOf } from '../../dojo/sentences.js';
import type { Arrays } from '../../gradCheck/anyLayer/float64.js';
import { differ } from '../../gradCheck/anyLayer/precision.js';
import type { LayerReport, Refusal } from '../../gradCheck/anyLayer/report.js';
import { GuestProcess, ProcessEnded } from '../guest/process.js';
import { LAYERS_PROCESS } from '../paths.js';
import { noLayerError } from './noLayer.js';
import { type OtherExport, type Reply, type Request, refusedReport } from './protocol.js';
import { readMessage } from './replySchema.js';

/** Gigabytes that the process may use. */
const MEMORY_LIMIT = 2;
/** Seconds of computing time for loading the file, and for each layer. */
const TIME_LIMIT = 30;
/** Elapsed seconds per second of computing time: a layer may wait, and a busy machine needs longer. */
const PATIENCE = 8;
/** Lines that the file, or a layer, may print: forward runs a thousand times. */
const MAX_LINES = 40;

export interface LayerFileOptions {
  /** The file's name in messages. */
  shownAs: string;
  seed?: number;
  /** Whether to judge in float32, as the code runs. */
  float32: boolean;
  /** Called with each line that the file prints, which is safe to print. */
  onPrint: (line: string) => void;
  /** Ends the check early. */
  signal?: AbortSignal | undefined;
}

/** A process of the file, and what it says about it. */
interface Loading {
  process: GuestProcess<Request, Reply>;
  loaded: Promise<Loaded>;
}

type Loaded = Extract<Reply, { kind: 'loaded' }>;

/**
 * The file is loaded twice: in the process that judges, with Float64Array in the place of Float32Array; and as it is, which shows whether that
 * changes what a layer computes. Views of WebAssembly memory that are made while the file is loaded would show other numbers.
 */
export class LayerFile {
  readonly #path: string;
  readonly #options: LayerFileOptions;
  readonly #uncaught = new Set<string>();
  readonly #processes = new Map<Arrays, Loading>();
  /** Whether all layers are judged as they are: if asked for, or if the file cannot be loaded otherwise. */
  #float32: boolean;
  /** The names of the layers. */
  names: readonly string[] = [];
  /** The exports that are no layers. */
  others: readonly OtherExport[] = [];

  private constructor(path: string, options: LayerFileOptions) {
    this.#path = path;
    this.#options = options;
    this.#float32 = options.float32;
  }

  /**
   * Loads the file. Call {@link stop} when done.
   * @throws FileContentError if the file cannot be loaded, or has no layer; the signal's reason if it ends this early
   */
  static async open(path: string, options: LayerFileOptions): Promise<LayerFile> {
    const file = new LayerFile(path, options);
    const abort = () => file.stop();
    options.signal?.addEventListener('abort', abort, { once: true });
    try {
      const { layers, others } = await file.#firstLoad();
      file.names = layers;
      file.others = others;
      if (layers.length === 0) throw noLayerError(options.shownAs, others);
      return file;
    } catch (error) {
      file.stop();
      throw error;
    }
  }

  /**
   * @param name one of {@link names}
   * @throws the signal's reason if it ends this early
   */
  async check(name: string): Promise<LayerReport> {
    let arrays: Arrays = this.#float32 ? 'plain' : 'swapped';
    try {
      if (arrays === 'swapped' && (await this.#needsFloat32(name))) arrays = 'plain';
      const reply = await this.#request(arrays, 'check', name);
      if (reply.kind !== 'checked') throw new ProcessEnded({ id: 'breaks-channel' });
      return { ...reply.report, name };
    } catch (error) {
      const fault = this.#faultOf(error);
      this.#end(arrays);
      return refusedReport(name, arrays === 'plain', refusalOf(fault));
    }
  }

  /** Ends the processes. */
  stop(): void {
    this.#end('swapped');
    this.#end('plain');
  }

  async #firstLoad(): Promise<Loaded> {
    try {
      if (this.#float32) return await this.#load('plain').loaded;
      const { loaded } = this.#load('swapped');
      this.#load('plain', true);
      return await loaded;
    } catch (error) {
      const fault = this.#faultOf(error);
      const asItIs = fault.id === 'file-threw' ? await this.#loadedAsItIs() : undefined;
      if (asItIs) {
        this.#float32 = true;
        return asItIs;
      }
      throw new FileContentError(`${showPath(this.#options.shownAs)} cannot be loaded: ${sentenceOf([fault])}`);
    }
  }

  async #loadedAsItIs(): Promise<Loaded | undefined> {
    try {
      return await this.#processes.get('plain')?.loaded;
    } catch (error) {
      this.#faultOf(error);
      return undefined;
    }
  }

  /** Whether the layer computes something else with Float64Array in the place of Float32Array. */
  async #needsFloat32(name: string): Promise<boolean> {
    const swapped = await this.#probe('swapped', name);
    try {
      const plain = await this.#probe('plain', name);
      return plain !== null && (swapped === null || differ(swapped, plain));
    } catch (error) {
      this.#faultOf(error);
      this.#end('plain');
      return false;
    }
  }

  async #probe(arrays: Arrays, name: string): Promise<number[] | null> {
    const reply = await this.#request(arrays, 'probe', name);
    if (reply.kind !== 'probed') throw new ProcessEnded({ id: 'breaks-channel' });
    return reply.numbers?.map((x) => x ?? Number.NaN) ?? null;
  }

  async #request(arrays: Arrays, kind: Request['kind'], name: string): Promise<Reply> {
    // The next layer after one that ended its process gets a new one.
    const { process, loaded } = this.#processes.get(arrays) ?? this.#load(arrays, true);
    await loaded;
    // What a layer prints while it is judged, and not what it prints again where it is compared.
    const isShown = arrays === 'swapped' || this.#float32 || kind === 'check';
    await process.startSource(isShown ? name : undefined);
    const { seed } = this.#options;
    return (await process.request({ kind, name, ...(seed !== undefined && { seed }) })).reply;
  }

  /**
   * Starts a process that loads the file.
   * @param quiet whether to drop what the file prints while it is loaded: it has printed it already
   */
  #load(arrays: Arrays, quiet = false): Loading {
    const { onPrint, signal } = this.#options;
    signal?.throwIfAborted();
    const process = new GuestProcess<Request, Reply>({
      path: this.#path,
      module: LAYERS_PROCESS,
      assignment: { float32: arrays === 'plain' },
      gigabytes: MEMORY_LIMIT,
      seconds: TIME_LIMIT,
      patience: PATIENCE,
      lines: MAX_LINES,
      read: readMessage,
      onPrint,
      uncaught: this.#uncaught,
      quiet,
    });
    const loaded = process.loaded().then((reply) => {
      if (reply.kind !== 'loaded') throw new ProcessEnded({ id: 'breaks-channel' });
      return reply;
    });
    // It is awaited later.
    loaded.catch(() => {});
    const loading = { process, loaded };
    this.#processes.set(arrays, loading);
    return loading;
  }

  #end(arrays: Arrays): void {
    this.#processes.get(arrays)?.process.stop();
    this.#processes.delete(arrays);
  }

  /**
   * The reason why the process ended.
   * @throws the signal's reason if it is aborted, and any other error
   */
  #faultOf(error: unknown): FileFault {
    this.#options.signal?.throwIfAborted();
    if (error instanceof ProcessEnded) return error.fault;
    throw error;
  }
}

function refusalOf(fault: FileFault): Refusal {
  const text = sentenceOf([fault]);
  if (fault.id === 'timeout' || fault.id === 'never-settles') return { id: 'time', text };
  return { id: fault.id === 'memory' ? 'memory' : 'threw', text };
}
