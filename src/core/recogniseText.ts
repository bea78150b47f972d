/** Names texts that are no lists of words: web pages, error messages in place of a download, JSON, source code. */
import { quoteText } from './text.js';

/** A guess at a file's format. */
export interface RecognisedFile {
  /** The format, with its article: "a NumPy array (.npy)". */
  kind: string;
  /** How to get a readable file. */
  hint?: string;
  /** What follows the hint in a terminal. FILE is replaced by the file's path. */
  shell?: string;
  /** Source code and documents in a notation: what an exercise file may look like. */
  group: 'safetensors' | 'binary' | 'text' | 'source';
}

const AGAIN = 'download the file itself again';
const ONE_PER_LINE = 'write one name per line';

interface TextKind extends RecognisedFile {
  start: RegExp;
}

const STARTS: readonly TextKind[] = [
  {
    start: /^version https:\/\/git-lfs/,
    kind: 'a Git LFS pointer',
    hint: "fetch the file itself with 'git lfs pull'",
    group: 'text',
  },
  { start: /^HTTP\/\d/, kind: 'an HTTP response', hint: AGAIN, group: 'text' },
  { start: /^-----BEGIN [A-Z ]+-----/, kind: 'a key or certificate (PEM)', group: 'text' },
  { start: /^BEGIN:V(CARD|CALENDAR)/, kind: 'a contact or calendar file', group: 'text' },
  { start: /^(diff --git |--- \S.*\n\+\+\+ )/, kind: 'a patch', group: 'text' },
  { start: /^#![ ]*\//, kind: 'a script', group: 'source' },
  { start: /^\\documentclass\b/, kind: 'a LaTeX document', group: 'text' },
  { start: /^---\r?\n[\w-]+:\s/, kind: 'a YAML or Markdown file', group: 'source' },
  { start: /^(export )?(const |let |var )?\w+\s*(:\s*[\w[\]<>]+\s*)?=\s*[[{(]/, kind: 'source code', group: 'source' },
];

/**
 * @param text the first characters of a file
 * @param isWhole whether they are the whole file
 */
export function recogniseText(text: string, isWhole: boolean): RecognisedFile | undefined {
  const body = text.replace(/^\ufeff?\s*/, '');
  const found = STARTS.find(({ start }) => start.test(body));
  if (found) return { kind: found.kind, ...(found.hint === undefined ? {} : { hint: found.hint }), group: found.group };
  return markup(body) ?? json(body, isWhole) ?? (isWhole ? errorMessage(body) : undefined) ?? markdown(body) ?? sourceCode(body);
}

function markup(body: string): RecognisedFile | undefined {
  if (!/^<(!doctype|!--|\?xml|[a-z][\w:-]*[\s/>])/i.test(body)) return undefined;
  if (/^<(!doctype html|html|head|body|script)\b|<(html|head|body)[\s>]/i.test(body)) {
    const [, title = ''] = /<title[^>]*>\s*([^<]*?)\s*<\/title>/i.exec(body) ?? [];
    const titled = title === '' ? '' : ` with the title '${quoteText(title)}'`;
    return { kind: `a web page (HTML)${titled}, perhaps from a failed download`, hint: AGAIN, group: 'text' };
  }
  const [, reason] = /<(?:Code|Message)>([^<]+)</.exec(body) ?? [];
  if (/<Error>/.test(body) && reason !== undefined) return failedDownload(reason);
  return { kind: 'an XML file', group: 'text' };
}

function failedDownload(message: string): RecognisedFile {
  return { kind: `an error message, '${quoteText(message)}', perhaps from a failed download`, hint: AGAIN, group: 'text' };
}

function json(body: string, isWhole: boolean): RecognisedFile | undefined {
  if (/^\[\s*'/.test(body)) return { kind: 'a list in Python', hint: 'write one name per line', group: 'text' };
  if (!/^(\{\s*["}]|\[\s*(["\][{]|-?\d))/.test(body)) return undefined;
  const message = isWhole ? errorIn(body) : undefined;
  if (message !== undefined) return failedDownload(message);
  if (/^\[\s*"/.test(body)) {
    return { kind: 'a JSON file', hint: ONE_PER_LINE, shell: "jq -r '.[]' FILE > names.txt", group: 'text' };
  }
  const [, key] = /"((?:\w*name|word|text))"\s*:\s*"/i.exec(body) ?? [];
  if (key === undefined) return { kind: 'a JSON file', group: 'text' };
  const filter = body.startsWith('[') ? `.[].${key}` : `.${key}`;
  return { kind: 'a JSON file', hint: ONE_PER_LINE, shell: `jq -r '${filter}' FILE > names.txt`, group: 'text' };
}

/** The message of an API's error: {"message": "Not Found"}. */
function errorIn(body: string): string | undefined {
  try {
    const { message, error, errors, detail, title } = JSON.parse(body) as Record<string, unknown>;
    const [first = undefined] = Array.isArray(errors) ? errors : [];
    const inner = [error, first].map((one) => (one as { message?: unknown } | null | undefined)?.message);
    return [message, error, detail, first, ...inner, title].find((one): one is string => typeof one === 'string');
  } catch {
    return undefined;
  }
}

const STATUS = /^(error|http error|http)?[\s:#-]*[45]\d\d\b\s*[:\s-]/i;
const REFUSAL = new RegExp(
  '\\b(not found|(access|permission) (is |was )?denied|forbidden|unauthori[sz]ed|bad (gateway|request|credentials)|gateway time-?out|' +
    'service (is )?(temporarily )?unavailable|too many requests|rate limit|internal server error|moved permanently|no such (file|key|bucket)|' +
    "could ?n[o']t (find|resolve|connect)|invalid (username|token|credentials)|authentication (required|failed)|login required|does not exist|" +
    'error code|connection (refused|reset|timed out))\\b',
  'i',
);

/** The text that a server sends in place of a file: "404: Not Found". Only files of fewer lines than a data set needs are read so. */
function errorMessage(body: string): RecognisedFile | undefined {
  const lines = body.split(/\r\n?|\n/).filter((line) => line.trim() !== '');
  if (lines.length === 0 || lines.length > 5 || !(STATUS.test(`${lines[0]}\n`) || REFUSAL.test(body))) return undefined;
  return failedDownload(lines[0].trim());
}

/** At least two kinds of Markdown's marks. */
function markdown(body: string): RecognisedFile | undefined {
  const marks = [/^#{1,6} \S/m, /^```/m, /\[[^\]\n]+\]\([^)\n]+\)/, /\*\*[^*\n]+\*\*/, /^\|?\s*:?-{3,}:?\s*\|/m, /^> \S/m];
  const found = marks.filter((mark) => mark.test(body)).length;
  return found >= 2 ? { kind: 'a Markdown document', group: 'source' } : undefined;
}

const CODE_LINE = new RegExp(
  [
    '^import [\\w{*"\']|^from \\S+ import |^#include\\b|^package [\\w.]+;?$|^using [\\w.]+;|^namespace \\w|^export (default|const|function|class)\\b',
    '^(async )?(def|function|fn|func) \\w+\\s*\\(|^(const|let|var|val) \\w+.*=|^((public|private|static) )*(class|interface|enum|struct) \\w+.*[:{]$',
    '^return\\b.*;$|^(if|for|while|else|try|with)\\b.*[:{]$|^\\/\\*\\*|^(SELECT|INSERT INTO|CREATE TABLE|UPDATE) ',
    '[=(){}].*;$|[()=>].*\\{$|^\\w+ = \\w.*[)\\]]$|^[)\\]}]+[;,)]*$',
  ].join('|'),
);

/** Whether two lines in five, and at least three, look like statements. */
function sourceCode(body: string): RecognisedFile | undefined {
  const lines = body
    .split(/\r\n?|\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '');
  const found = lines.filter((line) => CODE_LINE.test(line)).length;
  return found >= 3 && found >= 0.4 * lines.length ? { kind: 'source code', group: 'source' } : undefined;
}
