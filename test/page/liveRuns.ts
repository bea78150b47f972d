/** Trains in the page, in any browser. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createDataset } from '../../src/data/dataset.js';
import { allocateModel } from '../../src/network/arrays.js';
import { createWasmBackend } from '../../src/node/kernels.js';
import { readNamesFile } from '../../src/node/namesFile.js';
import { BUNDLED_NAMES } from '../../src/node/paths.js';
import { Session } from '../../src/node/session.js';
import type { LiveInfo, LiveProgress } from '../../src/page/engine/live.js';
import { INFERENCE } from '../../src/run/limitedBackend.js';
import { modelConfig, type RunConfig, trainingCapacity } from '../../src/training/runConfig.js';
import { tempDirectory } from '../support/tempDirectory.js';

/** Evaluates a script in a page. */
export type Evaluate = (script: string) => Promise<unknown>;

/** A list of names, as the reader gives it. */
export interface OwnList {
  text: string;
  column?: string;
}

/** A run of the page. */
export class PageRun {
  readonly #evaluate: Evaluate;
  /** Lines of metrics.jsonl. */
  metrics = '';

  constructor(evaluate: Evaluate) {
    this.#evaluate = evaluate;
  }

  async open(options: object, own?: OwnList, checkpoint?: Uint8Array): Promise<LiveInfo> {
    const read =
      own &&
      `await backpropNinja.ask('readNames', new TextEncoder().encode(${JSON.stringify(own.text)}), 7, { column: ${JSON.stringify(own.column)} });`;
    const bytes = checkpoint && `, Uint8Array.from(atob('${toBase64(checkpoint)}'), (c) => c.charCodeAt(0))`;
    this.metrics = '';
    return (await this.#evaluate(
      `(async () => { ${read ?? ''} return backpropNinja.ask('liveOpen', ${JSON.stringify(options)}, ${own ? 7 : null}${bytes ?? ''}); })()`,
    )) as LiveInfo;
  }

  /** Trains, and collects what is recorded. @param pauseAfter milliseconds */
  async train(most: number | null, pauseAfter?: number): Promise<LiveProgress> {
    const pause = pauseAfter === undefined ? '' : `setTimeout(() => backpropNinja.ask('livePause'), ${pauseAfter});`;
    const end = (await this.#evaluate(`(async () => {
      const records = [];
      const take = (progress) => records.push(...progress.records);
      const { result } = backpropNinja.start('liveTrain', [${most}], take);
      ${pause}
      const end = await result;
      take(end);
      return { ...end, records };
    })()`)) as LiveProgress;
    for (const record of end.records) this.metrics += `${JSON.stringify(record)}\n`;
    return end;
  }

  async checkpoint(): Promise<Buffer> {
    const text = await this.#evaluate(`backpropNinja.ask('liveCheckpoint').then((bytes) => {
      let text = '';
      for (const byte of bytes) text += String.fromCharCode(byte);
      return btoa(text);
    })`);
    return Buffer.from(text as string, 'base64');
  }
}

function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}

/** A run of Node on the bundled names with the same configuration, saved after a step: the bytes of its checkpoint. */
export function nodeCheckpoint(config: RunConfig, step: number, program: string): Buffer {
  const directory = tempDirectory();
  const { names, sha256: dataSha256 } = readNamesFile(BUNDLED_NAMES);
  const dataset = createDataset(names, config);
  const shape = modelConfig(config, dataset.vocabulary);
  const model = allocateModel(createWasmBackend, shape, trainingCapacity(config, INFERENCE));
  const session = new Session({ directory, dataset, dataSha256, config, model, program, saveEvery: 10_000 });
  while (session.step < step) session.advance();
  session.save();
  session.close();
  return readFileSync(join(directory, 'checkpoint.safetensors'));
}
