/** The lines of the bank of mistakes as a person would write them, for the page: from src/dojo/atomicMutants.ts and closedMutants.ts. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const read = (file: string): string => readFileSync(fileURLToPath(new URL(`../src/dojo/${file}`, import.meta.url)), 'utf8');

/** Matches the head of a line's mistakes, or a mistake with its line. The groups: line; name, parameters, body. */
const ATOMIC = /^ {2}(d\w+): \{$|^ {4}'?([\w-]+)'?: \{\n(?: {6}.*\n)*? {6}planted: \((\{[^}]*\})\) =>([\s\S]*?),\n(?= {6}inv| {4}\},)/gm;
/** Matches a mistake in a closed form. */
const CLOSED = /^ {2}'([\w-]+)': \{\n(?: {4}.*\n)*? {4}planted: \((\{[^}]*\})\) =>([\s\S]*?),\n(?= {2}\},)/gm;

/** The mistakes by their name in the bank. Those whose line is made by a function, as some of batch norm, or calls one, have no text. */
export function mistakeTexts(): Record<string, string> {
  const texts: Record<string, string> = {};
  let line = '';
  for (const [, head, id, parameters = '', body = ''] of read('atomicMutants.ts').matchAll(ATOMIC)) {
    if (head === undefined) texts[`${line}-${id}`] = written(parameters, body);
    else line = head;
  }
  const closed = read('closedMutants.ts');
  const batchNorm = closed.indexOf('BATCH_NORM_MISTAKES');
  for (const { index, 1: id, 2: parameters = '', 3: body = '' } of closed.matchAll(CLOSED)) {
    texts[`${index < batchNorm ? 'cross-entropy' : 'batch-norm'}-${id}`] = written(parameters, body);
  }
  return Object.fromEntries(Object.entries(texts).filter(([, text]) => !text.includes('reversedContexts(')));
}

/** The helpers of the bank in the words of the lesson. */
const WORDS: readonly (readonly [RegExp, string])[] = [
  [/\bKEEP\b/g, '{ keepdim: true }'],
  [/\bhot\(([^,]+), logprobs\)/g, 'Tensor.oneHot($1, logprobs.shape[1], logprobs.dtype)'],
  [/\bhot\(([^,]+), (\w+)\)/g, 'Tensor.oneHot($1, $2.shape[1])'],
  [/\bviewedTransposed\((\w+)\)/g, '$1.view([$1.shape[1], $1.shape[0]])'],
];

/** The line in the form of the lesson, its body without the indentation of its file. */
function written(parameters: string, body: string): string {
  const text = WORDS.reduce((sofar, [found, replacement]) => sofar.replaceAll(found, replacement), body);
  return `(${parameters}) =>${dedented(text)}`;
}

function dedented(body: string): string {
  const [first = '', ...more] = body.split('\n');
  const indents = more.filter((line) => line.trim() !== '').map((line) => line.length - line.trimStart().length);
  const least = Math.min(...indents);
  const by = first === '' ? least - 2 : least;
  return [first, ...more.map((line) => line.slice(Math.max(0, by)))].join('\n');
}
