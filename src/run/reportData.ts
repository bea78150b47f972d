/** Runs inside the report's file: what they gave, what it takes to draw it, and nothing of the machine that they were trained on. */
import * as v from 'valibot';
import { FileContentError } from '../core/errors.js';
import { escapeHtml, type Html } from '../core/html.js';
import type { Shape, Tensor } from '../core/tensor.js';
import { quoteText } from '../core/text.js';
import { type ModelConfig, parameterShapes, statisticShapes } from '../network/parameters.js';
import { TRAINING_OPTIONS } from '../training/options.js';
import { modelConfig } from '../training/runConfig.js';
import { configSchema, count, finite } from '../training/runConfigSchema.js';
import { fromBase64Tensor } from './base64Tensor.js';
import { DiagnosticsRecordSchema } from './diagnosticsSchema.js';
import type { FindingId } from './findings/finding.js';
import { VocabularySchema } from './vocabularySchema.js';

const orNull = v.nullable(finite);
const FindingSchema = v.strictObject({
  id: v.custom<FindingId>((id) => typeof id === 'string'),
  where: v.nullable(v.string()),
  step: v.nullable(count),
  value: finite,
  limit: finite,
  /** The option to turn, as typed. */
  option: v.nullable(v.string()),
  text: v.string(),
  source: v.string(),
});

const LossesSchema = v.strictObject({ train: finite, val: finite, test: finite });
/** Some of the validation names; of no name, there is no loss. */
const NamesLossSchema = v.object({ names: count, loss: orNull });

/** Losses in nats per character; null where they are not computed, as for a run that is being trained. */
const ResultSchema = v.object({
  trainLoss: orNull,
  valLoss: finite,
  testLoss: orNull,
  valSeen: v.nullable(NamesLossSchema),
  valUnseen: v.nullable(NamesLossSchema),
  baselines: v.object({ uniform: LossesSchema, bigram: LossesSchema, fourGram: LossesSchema }),
  samples: v.array(v.string()),
  origins: v.array(v.picklist(['new', 'training', 'held out'])),
});

const RunSchema = v.strictObject({
  /** The base name of the run's directory. */
  name: v.string(),
  /** The command that repeats it. FILE is in the place of a file's name. */
  command: v.string(),
  /** Name and version of the program that trained it. */
  program: v.string(),
  config: configSchema(TRAINING_OPTIONS),
  vocabulary: VocabularySchema,
  /** Names in the data set, before its split; null if it is not known. */
  dataNames: v.nullable(count),
  /** Steps done. */
  step: count,
  /** How long the last session trained; null if it is not known. */
  seconds: orNull,
  best: v.nullable(v.strictObject({ step: count, valLoss: finite })),
  /** Mean batch losses since the point before, and the rate of their last step. */
  losses: v.array(v.strictTuple([count, finite, finite])),
  valLosses: v.array(v.strictTuple([count, finite])),
  diagnostics: v.array(DiagnosticsRecordSchema),
  result: v.nullable(ResultSchema),
  gradCheck: v.nullable(v.strictObject({ ok: v.boolean(), tensors: count, largest: finite, note: v.exactOptional(v.string()) })),
  /** Whether doctor looked at the network itself, on many examples: not only at its records. */
  looked: v.boolean(),
  findings: v.array(FindingSchema),
  /** SHA-256 in hexadecimal: of the checkpoint, of the data set, and the first 16 digits of each parameter's. */
  hashes: v.record(v.string(), v.string()),
  /** Little-endian float32 in base64; null where they are too large, or there are several runs. */
  parameters: v.nullable(v.record(v.string(), v.string())),
  /** Mean and variance of batch norm, in the same form; null where they are not computed, too. */
  statistics: v.nullable(v.record(v.string(), v.string())),
  /** What is not in the report, and why: a sentence each, without its full stop. */
  notes: v.array(v.string()),
});

const SweepValueSchema = v.strictObject({
  /** A value, or an interval of a range that was sampled. */
  value: v.string(),
  runs: count,
  diverged: count,
  /** Validation losses of its runs; null if most of them, or all, diverged. */
  median: orNull,
  least: orNull,
});

const SweepSchema = v.strictObject({
  /** Runs that are planned, done, and diverged. */
  planned: count,
  done: count,
  diverged: count,
  /** The options that were varied, the one that mattered most first. */
  options: v.array(
    v.strictObject({
      option: v.string(),
      values: v.array(SweepValueSchema),
      /** The share of the differences between the runs that the option explains, from 0 to 1; null if there are too few runs to say. */
      share: orNull,
    }),
  ),
  /** The runs, best first. */
  results: v.array(
    v.strictObject({
      run: v.string(),
      options: v.record(v.string(), v.string()),
      /** By option, the index of its value, or of the interval it lies in, among the values of the option. */
      places: v.record(v.string(), count),
      trainLoss: orNull,
      valLoss: orNull,
      seconds: orNull,
    }),
  ),
  /** The options of train that all runs share, as typed. */
  shared: v.string(),
});

const ReportSchema = v.strictObject({
  runs: v.array(RunSchema),
  sweep: v.nullable(SweepSchema),
  /** Whether the runs are being trained: the report is written again and again. */
  live: v.boolean(),
});

/** A run as the report's file holds it, as JSON. */
export type ReportRun = v.InferOutput<typeof RunSchema>;
/** What a sweep found: the validation loss by the values of each option. */
export type SweepSummary = v.InferOutput<typeof SweepSchema>;
/** What the report's file holds. */
export type ReportData = v.InferOutput<typeof ReportSchema>;

/** The report on a network as run.json holds it; undefined if the value is none. */
export function storedResult(value: unknown): ReportRun['result'] | undefined {
  const parsed = v.safeParse(ResultSchema, value);
  return parsed.success ? parsed.output : undefined;
}

/** What the report's file holds in the place of its data and of its main result, as long as there are none. */
const DATA_SLOT = '<script type="application/json" id="report-data">null</script>';
const SUMMARY_SLOT = '<div id="summary"></div>';
const DETAILS_SLOT = '<div id="details"></div>';
const TITLE_SLOT = '<title>Report</title>';

/** Whether the text is a report, empty or with runs. */
export function isReport(html: string): boolean {
  return html.includes(DATA_SLOT.slice(0, DATA_SLOT.indexOf('null')));
}

/** The parts of a report that are read without its script. */
export interface ReportText {
  /** The title of the page. */
  title: string;
  /** The main result. */
  summary: Html;
  /** How it was made, and how to repeat it. */
  details: Html;
}

/** The report's file with runs in it. @throws FileContentError if it has no place for them */
export function fillReport(html: string, data: ReportData, { title, summary, details }: ReportText): string {
  // No text can end the script.
  const json = JSON.stringify(data).replaceAll('<', '\\u003c');
  const slots = [
    [TITLE_SLOT, `<title>${escapeHtml(title)}</title>`],
    [SUMMARY_SLOT, SUMMARY_SLOT.replace('></', () => `>${summary.text}</`)],
    [DETAILS_SLOT, DETAILS_SLOT.replace('></', () => `>${details.text}</`)],
    [DATA_SLOT, DATA_SLOT.replace('null', () => json)],
  ];
  return slots.reduce((text, [slot, full]) => {
    const parts = text.split(slot);
    if (parts.length !== 2) throw new FileContentError('it has no place for the data of a run', { hint: 'build it again: npm run build' });
    return parts.join(full);
  }, html);
}

/**
 * Reads the data in the report's file.
 * @param json the text of its element report-data
 * @returns undefined if it holds none
 * @throws FileContentError if it is damaged
 */
export function readReportData(json: string): ReportData | undefined {
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), v.nullable(ReportSchema)), json);
  if (parsed.success) return parsed.output ?? undefined;
  const [issue] = parsed.issues;
  const place = v.getDotPath(issue);
  throw damaged(`${place === null ? '' : `${quoteText(place)}: `}${quoteText(issue.message)}`);
}

/** The network of a run in a report. */
export interface ReportNetwork {
  config: ModelConfig;
  vocabulary: readonly string[];
  /** Parameters and statistics by name, float32. */
  tensors: Readonly<Record<string, Tensor>>;
}

/** The network of a run; undefined if the report does not hold it. @throws FileContentError if it is damaged */
export function reportNetwork({ config: runConfig, vocabulary, parameters, statistics }: ReportRun): ReportNetwork | undefined {
  if (!parameters || !statistics) return undefined;
  const config = modelConfig(runConfig, vocabulary);
  const read = (shapes: Record<string, Shape>, stored: Record<string, string>) =>
    Object.entries(shapes).map(([name, shape]) => [name, readTensor(name, stored[name] ?? '', shape)]);
  const tensors = Object.fromEntries([...read(parameterShapes(config), parameters), ...read(statisticShapes(config), statistics)]);
  return { config, vocabulary, tensors };
}

function readTensor(name: string, base64: string, shape: Shape): Tensor {
  const tensor = fromBase64Tensor(name, base64, shape);
  if (typeof tensor === 'string') throw damaged(tensor);
  return tensor;
}

function damaged(what: string): FileContentError {
  return new FileContentError(`the data of this report is damaged: ${what}`, { hint: 'write the report again', command: 'report RUN' });
}
