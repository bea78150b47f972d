/** The report of a run that is being trained: report.html in its directory, written again at evaluations, which reloads itself. */
import { basename, join } from 'node:path';
import type { CreateBackend } from '../../backend/backend.js';
import { SystemError } from '../../core/errors.js';
import type { Job } from '../../core/job.js';
import { type RandomStream, randomStream } from '../../core/random.js';
import { showText } from '../../core/text.js';
import { baselinesInParts, originsInParts, type Report, SAMPLES, type SampleOrigin } from '../../evaluation/report.js';
import { Sampler } from '../../evaluation/sampler.js';
import { allocateModel, type Model } from '../../network/arrays.js';
import { createWasmBackend } from '../../node/kernels.js';
import { readMetrics } from '../../node/metricsFile.js';
import { checkOutput } from '../../node/outputFile.js';
import { isReportFile, readReport } from '../../node/pageFile.js';
import { CHECKPOINT_FILE, METRICS_FILE } from '../../node/runDirectory.js';
import { sha256 } from '../../node/sha256.js';
import type { BestEvaluation } from '../../run/checkpoint.js';
import type { FindingFacts } from '../../run/findings/finding.js';
import { findingsOf } from '../../run/findings/findings.js';
import type { MetricsRecord } from '../../run/records.js';
import { RecordsKept } from '../../run/recordsKept.js';
import type { ReportData, ReportRun } from '../../run/reportData.js';
import { reportRun } from '../../run/reportRun.js';
import { sizesOf } from '../../training/recipe.js';
import { isBundled } from '../data.js';
import { REPORT_FILE, writeReport } from '../look/report.js';
import { loadReportedRun } from '../look/reportedRun.js';
import { openInBrowser } from '../terminal/browser.js';
import { type IO, shortPath } from '../terminal/io.js';
import type { Turns } from '../terminal/turns.js';
import type { PreparedRun } from './startRun.js';

/** A report is written at most once in this time, and takes at most this share of it. */
const LEAST_MS = 1000;
const MOST_SHARE = 0.02;

/** What the names of a data set give once. */
interface Beside {
  baselines: Report['baselines'];
  originOf: (name: string) => SampleOrigin;
}

export class LiveReport {
  readonly #file: string;
  readonly #run: PreparedRun;
  readonly #createBackend: CreateBackend;
  readonly #io: IO;
  readonly #empty: string;
  /** A copy of the network, so that drawing samples touches nothing of the training. */
  readonly #copy: Model;
  readonly #sampler: Sampler;
  #random: RandomStream;
  #beside: Beside | undefined;
  readonly #kept = new RecordsKept();
  #best: BestEvaluation | null;
  #step: number;
  /** When the next report may be written, by the clock of IO. */
  #due = 0;
  #failed = false;
  #diverged: FindingFacts['diverged'];

  /**
   * @throws UsageError if the directory has another file of this name
   * @throws SystemError if the report was not built
   */
  constructor(run: PreparedRun, createBackend: CreateBackend, io: IO) {
    this.#createBackend = createBackend;
    this.#run = run;
    this.#io = io;
    this.#empty = readReport();
    this.#copy = allocateModel(createWasmBackend, run.model.config, { inference: [1] });
    this.#random = randomStream('sampling', run.config.seed);
    const random = Object.assign(() => this.#random(), { state: () => this.#random.state() });
    this.#sampler = new Sampler(this.#copy, run.data.dataset.vocabulary, random);
    this.#best = run.from?.best ?? null;
    this.#step = run.from?.state.step ?? 0;
    this.#file = join(run.directory, REPORT_FILE);
    checkOutput(this.#file, { option: 'the report of --open', force: isReportFile(this.#file), inputs: [] });
    if (run.from)
      for (const record of readMetrics(join(run.directory, METRICS_FILE)).records) if (record.step <= this.#step) this.#keep(record);
  }

  /** Writes the report and opens it. If there is no browser, a note says so. */
  async begin(turns: Turns): Promise<void> {
    await turns.run(this.#prepareInParts());
    if (turns.signal) return;
    this.#write(true);
    if (this.#failed) return;
    const reason = await openInBrowser(this.#file, this.#io);
    const path = shortPath(this.#file, this.#io);
    const opened = `${path} is open in your browser, and follows the training`;
    this.#io.stderr.write(
      reason === undefined ? `${opened}\n` : `note: no browser was found: ${reason}; open ${path} in one, it follows the training\n`,
    );
  }

  /** N-grams, and where sampled names are known from, once. */
  *#prepareInParts(): Job<void> {
    const { dataset } = this.#run.data;
    this.#beside = { baselines: yield* baselinesInParts(dataset), originOf: yield* originsInParts(dataset) };
  }

  get #name(): string {
    return basename(this.#run.directory);
  }

  /** Writes the report of the finished run, as the command `report` does. */
  async finish(turns: Turns): Promise<void> {
    const quiet: IO = { ...this.#io, stderr: { write: () => {}, isTTY: false, columns: 80, rows: 24 } };
    const path = join(this.#run.directory, CHECKPOINT_FILE);
    const options = { name: this.#name, data: undefined, withNetwork: true, createBackend: this.#createBackend };
    const run = await loadReportedRun(path, options, turns, quiet);
    if (run) this.#writeData({ runs: [run], sweep: null, live: false });
    else this.end();
  }

  /**
   * Writes the report of a run that ends early: it no longer reloads itself.
   * @param diverged if numbers blew up
   */
  end(diverged?: FindingFacts['diverged']): void {
    this.#diverged = diverged;
    this.#write(false);
  }

  /** Takes a line of metrics.jsonl. At an evaluation, the model is as it was evaluated, and the report is written. */
  add(record: MetricsRecord): void {
    this.#keep(record);
    if (!('valLoss' in record)) return;
    const { step, valLoss } = record;
    if (!this.#best || valLoss < this.#best.valLoss) this.#best = { step, valLoss };
    if (this.#io.now() >= this.#due) this.#write(true);
  }

  #keep(record: MetricsRecord): void {
    this.#step = Math.max(this.#step, record.step);
    this.#kept.add(record);
  }

  #write(live: boolean): void {
    if (this.#failed) return;
    const begun = this.#io.now();
    this.#writeData({ runs: [this.#reportRun()], sweep: null, live });
    const now = this.#io.now();
    this.#due = now + Math.max(LEAST_MS, (now - begun) / MOST_SHARE);
  }

  /** Where that fails, a note says so once, and the training continues. */
  #writeData(data: ReportData): void {
    try {
      writeReport(this.#file, this.#empty, data);
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      this.#failed = true;
      this.#io.stderr.write(`note: the report is not written any more: ${showText(error.message)}\n`);
    }
  }

  #reportRun(): ReportRun {
    const { model, config, data, program } = this.#run;
    const { vocabulary } = data.dataset;
    const tensors = new Map(Object.entries({ ...model.parameters, ...model.statistics }));
    const { records } = this.#kept;
    const evaluated = records.findLast((record) => 'valLoss' in record);
    return reportRun(
      {
        name: this.#name,
        checkpoint: { program, config, vocabulary, best: this.#best, dataSha256: data.sha256, state: { step: this.#step }, tensors },
        data: { isBundled: isBundled(data.sha256), sizes: sizesOf(data.dataset) },
        dataNames: data.names,
        seconds: null,
        records,
        result: evaluated && this.#beside ? this.#result(evaluated.valLoss, this.#beside) : null,
        gradCheck: null,
        looked: false,
        findings: findingsOf({ config, vocabulary: vocabulary.length, records, diverged: this.#diverged }),
        withNetwork: evaluated !== undefined,
        notes: [],
      },
      sha256,
    );
  }

  #result(valLoss: number, { baselines, originOf }: Beside) {
    const { model } = this.#run;
    for (const [name, values] of Object.entries(model.parameters)) this.#copy.parameters[name as keyof typeof model.parameters].set(values);
    for (const [name, values] of Object.entries(model.statistics)) this.#copy.statistics[name as keyof typeof model.statistics].set(values);
    // The same stream each time: the samples change because the network does.
    this.#random = randomStream('sampling', this.#run.config.seed);
    const samples = Array.from({ length: SAMPLES }, () => this.#sampler.sample({ temperature: 1, prefix: '' }).name);
    return {
      trainLoss: null,
      valLoss,
      testLoss: null,
      valSeen: null,
      valUnseen: null,
      baselines,
      samples,
      origins: samples.map(originOf),
    };
  }
}
