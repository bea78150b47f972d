/** A file of layers, as the command checks it: its process checks one layer after the other. Every layer gets a report, whatever it does. */
import { FileContentError } from '../../core/errors.js';
import { showPath } from '../../core/text.js';
import type { FileFault } from '../../dojo/findings.js';
import { sentenceOf } from '../../dojo/sentences.js';
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

export class LayerFile {
  readonly #path: string;
  readonly #options: LayerFileOptions;
  readonly #uncaught = new Set<string>();
  #process: GuestProcess<Request, Reply> | undefined;
  /** Whether Float32Array is what it is: if asked for, or if the file cannot be loaded otherwise. */
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
    try {
      await file.#firstLoad();
      if (file.names.length === 0) throw noLayerError(options.shownAs, file.others);
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
    const { seed } = this.#options;
    try {
      const process = this.#process ?? (await this.#load(true));
      await process.startSource(name);
      const { reply } = await process.request({ kind: 'check', name, ...(seed !== undefined && { seed }) });
      if (reply.kind !== 'checked') throw new ProcessEnded({ id: 'breaks-channel' });
      return { ...reply.report, name };
    } catch (error) {
      const fault = this.#faultOf(error);
      // The next layer gets a new process.
      this.stop();
      return refusedReport(name, this.#float32, refusalOf(fault));
    }
  }

  /** Ends the process. */
  stop(): void {
    this.#process?.stop();
    this.#process = undefined;
  }

  async #firstLoad(): Promise<void> {
    let fault: FileFault;
    try {
      await this.#load(false);
      return;
    } catch (error) {
      fault = this.#faultOf(error);
    }
    // Views of WebAssembly memory, for example, need the real Float32Array already while the file is loaded.
    if (fault.id === 'file-threw' && !this.#float32) {
      this.#float32 = true;
      try {
        await this.#load(true);
        return;
      } catch (error) {
        this.#faultOf(error);
      }
    }
    const { shownAs } = this.#options;
    throw new FileContentError(`${showPath(shownAs)} cannot be loaded: ${sentenceOf([fault])}`);
  }

  /** A process that has loaded the file. A file that is loaded again has printed everything already. */
  async #load(quiet: boolean): Promise<GuestProcess<Request, Reply>> {
    this.stop();
    const { onPrint, signal } = this.#options;
    signal?.throwIfAborted();
    const process = new GuestProcess<Request, Reply>({
      path: this.#path,
      module: LAYERS_PROCESS,
      assignment: { float32: this.#float32 },
      gigabytes: MEMORY_LIMIT,
      seconds: TIME_LIMIT,
      patience: PATIENCE,
      lines: MAX_LINES,
      read: readMessage,
      onPrint,
      uncaught: this.#uncaught,
      quiet,
    });
    this.#process = process;
    const abort = () => process.stop();
    signal?.addEventListener('abort', abort, { once: true });
    const reply = await process.loaded();
    if (reply.kind !== 'loaded') throw new ProcessEnded({ id: 'breaks-channel' });
    this.names = reply.layers;
    this.others = reply.others;
    return process;
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
