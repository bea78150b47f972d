/** What a report says, held against what bank.json expects. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { FileContentError } from '../../../src/core/errors.js';
import { type AgainstReport, checkAgainst } from '../../../src/gradcheck.js';
import { readSafetensors } from '../../../src/run/safetensors.js';

/** A case that write.py wrote. habits.py says what each expectation is. */
export interface Case {
  file: string;
  dtype: 'float32' | 'float64';
  kind: string;
  title: string;
  ok?: boolean | null;
  wrong?: string[];
  /** The rows that PyTorch and the lecture's lines find wrong by themselves. */
  measured?: string[];
  words?: Record<string, string[]>;
  first?: [name: string, words: string[]];
  says?: string[];
  unknown?: [name: string, meant: string][];
  duplicate?: string[];
  absent?: string[];
  remarks?: string[];
  /** Whether dembact and dembcat are two rows here. */
  spelt?: boolean;
}

type Row = AgainstReport['tensors'][number];

export interface Judged {
  row: Case;
  /** null if the file was refused. */
  report: AgainstReport | null;
  refusal: string;
}

export function readBank(directory: string): Case[] {
  return JSON.parse(readFileSync(join(directory, 'bank.json'), 'utf8'));
}

export function judge(directory: string, row: Case): Judged {
  try {
    const report = checkAgainst(readSafetensors(readFileSync(join(directory, row.file))));
    return { row, report, refusal: '' };
  } catch (error) {
    if (!(error instanceof FileContentError)) throw error;
    return { row, report: null, refusal: `${error.message} ${error.hint ?? ''}` };
  }
}

/** The lecture says embcat where the program says embact. */
const own = (name: string, { spelt }: Case) => (spelt ? name : name.replace('embcat', 'embact'));

/** Culprits in the order of the alphabet, to compare as sets. */
export function located({ row, report }: Judged): { found: string[]; expected: string[] } {
  const names = (list: readonly string[]) => list.map((name) => own(name, row)).sort();
  return { found: names(report?.culprits ?? ['refused']), expected: names(row.wrong ?? []) };
}

/** The row of a gradient. */
function rowOf({ row, report }: Judged, name: string): Row | undefined {
  return report?.tensors.find((one) => own(one.name, row) === own(name, row));
}

/** Whether a name that the program gave contains one of the words: those of tensors and short ones as words of their own. */
export function isTrue(mistake: object, words: readonly string[]): boolean {
  const { id, text, ...data } = mistake as { id: string; text: string };
  const said = `${id} ${text} ${JSON.stringify(data)}`;
  return words.some((word) => {
    if (!/^\w+$/.test(word) || (word.length > 2 && !TENSOR.test(word))) return said.toLowerCase().includes(word.toLowerCase());
    return new RegExp(`(?<!\\w)${word}(?!\\w)`).test(said);
  });
}

const TENSOR = /^d?(emb|embcat|embact|[bh]n?\w*|logits|logit_maxes|norm_logits|counts\w*|probs|logprobs|[XYWbC]\w?)$/;

/** Each planted mistake with what the program calls it. */
export function names(judged: Judged): { line: string; mistake: Row['mistake']; isTrue: boolean }[] {
  return Object.entries(judged.row.words ?? {}).map(([line, words]) => {
    const mistake = rowOf(judged, line)?.mistake ?? null;
    return { line, mistake, isTrue: mistake !== null && isTrue(mistake, words) };
  });
}

/** For a list of what fails: which case, and what it says. */
export function named({ row }: Judged, said: unknown): string {
  return `${row.file} ${row.dtype} ${row.kind}: ${row.title}: ${typeof said === 'string' ? said : JSON.stringify(said)}`;
}
