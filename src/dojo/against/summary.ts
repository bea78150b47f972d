/** The sentences about a file, the most important first: what its table does not say, or says too quietly. */
import { showShape } from '../../core/tensor.js';
import { countOf, quoteName } from '../../core/text.js';
import { remarkText } from './remarks.js';
import type { AgainstReport, AgainstRow, ForwardReport } from './report.js';

export interface SummarySentence {
  text: string;
  tone: 'good' | 'bad' | 'plain' | 'dim';
}

/** At most this many unclear names are listed. */
const MOST_NAMES = 50;

export function summaryOf(report: AgainstReport): SummarySentence[] {
  return [
    ...forwardSentences(report.forward),
    ...culpritSentences(report),
    ...nameSentences(report),
    ...absentSentences(report),
    ...endSentences(report),
  ];
}

/** The sentence with a full stop, unless it ends already. */
function ended(text: string): string {
  return /[.?]$/.test(text) ? text : `${text}.`;
}

function forwardSentences({ first, judgedOn }: ForwardReport): SummarySentence[] {
  if (first === null) return [];
  const { name, cause } = first;
  const difference = ended(`The forward pass differs, first at ${name}: ${cause?.text ?? entryText(first)}`);
  const on =
    judgedOn === 'file'
      ? 'The gradients are judged on your forward values.'
      : "The gradients are judged on the program's forward values, because yours are not complete.";
  return [{ text: `${difference} ${on}`, tone: 'bad' }];
}

function culpritSentences({ tensors, culprits }: AgainstReport): SummarySentence[] {
  const wrong = tensors.filter(({ name, verdict }) => verdict === 'wrong' && culprits.includes(name));
  const together = wrong.filter(({ mistake }) => mistake?.id === 'accumulated');
  const alone = wrong.filter((row) => !together.includes(row));
  const fed = tensors.filter(({ verdict }) => verdict === 'right-as-fed').length;
  const sentences: SummarySentence[] = alone.map((row) => ({ text: `${row.name} is wrong by itself: ${mistakeText(row)}.`, tone: 'bad' }));
  if (together.length > 0) {
    const names = together.map(({ name }) => name).join(', ');
    sentences.push({
      text: `${names} ${together.length === 1 ? 'is' : 'are'} wrong for one reason: ${together[0].mistake?.text}.`,
      tone: 'bad',
    });
  }
  if (fed > 0) {
    const rows = `The ${fed === 1 ? '1 row' : `${fed} rows`} below ${wrong.length > 1 ? 'them' : 'it'}`;
    const whose = wrong.length > 0 ? rows : `${countOf(fed, 'row')}`;
    sentences.push({
      text: `${whose} ${fed === 1 ? 'is' : 'are'} right given what ${fed === 1 ? 'it was' : 'they were'} fed.`,
      tone: 'plain',
    });
  }
  return sentences;
}

/** The mistake by name, otherwise the shape or the entry that is most off. */
function mistakeText(row: AgainstRow): string {
  if (row.mistake !== null) return row.mistake.text;
  return row.at === null ? `shape ${showShape(row.shape)}, expected ${showShape(row.expectedShape)}` : entryText(row);
}

function entryText({ at, found, expected }: Pick<AgainstRow, 'at' | 'found' | 'expected'>): string {
  if (at === null || found === null || expected === null) return 'it has another shape';
  const where = at.length === 0 ? 'it' : `entry ${showShape(at)}`;
  return `${where} is ${digits(found)}, expected ${digits(expected)}`;
}

/** Six digits, or as many as a difference needs. */
function digits(value: number): string {
  return Number.isFinite(value) ? `${Number(value.toPrecision(7))}` : `${value}`;
}

function nameSentences({ unknown, duplicate }: AgainstReport): SummarySentence[] {
  const unclear = [
    ...unknown.map(({ name, suggestion }) => {
      const meant = suggestion === null ? '' : `; did you mean ${suggestion}?`;
      return `${quoteName(name, '"')} is not compared: the lesson has no tensor of this name${meant}`;
    }),
    ...duplicate.map(({ name, of }) => `${quoteName(name, '"')} is the same tensor as ${of}, which the file holds, too; save one of them`),
  ];
  const more = unclear.length - MOST_NAMES;
  return [...unclear.slice(0, MOST_NAMES), ...(more > 0 ? [`and ${countOf(more, 'name')} more`] : [])].map((text) => ({
    text,
    tone: 'bad',
  }));
}

function absentSentences({ absent, all }: AgainstReport): SummarySentence[] {
  if (!all || absent.length === 0) return [];
  return [{ text: `--all: ${absent.join(', ')} ${absent.length === 1 ? 'is' : 'are'} absent.`, tone: 'bad' }];
}

/** What the values do not show, and the way to check it. */
function notShownSentences(notShown: AgainstReport['notShown']): SummarySentence[] {
  if (notShown.length === 0) return [];
  const lines = notShown.length === 1 ? 'this line' : 'these lines';
  const way = `To check ${lines}, write functions: ninja.lines(${notShown[0].name}=lambda at: …) in Python, exercise check 1 in TypeScript.`;
  return [...notShown.map(({ name, text }) => `${name}: ${text}.`), way].map((text) => ({ text, tone: 'dim' }));
}

function endSentences({ compared, of, absent, notShown, remarks, ok }: AgainstReport): SummarySentence[] {
  const missing = absent.length === 0 ? '' : `; absent: ${absent.join(', ')}`;
  return [
    ...remarks.map((remark): SummarySentence => ({ text: ended(remarkText(remark)), tone: 'dim' })),
    ...notShownSentences(notShown),
    { text: `${compared} of ${of} gradients compared${missing}`, tone: ok ? 'good' : 'plain' },
  ];
}
