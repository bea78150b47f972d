/** Reads the file of an exercise as a learner has written it, in the page or in an editor: the code of each line, and the code above the lines. */
import type { ExerciseNumber } from '../../dojo/exercises.js';
import { parseTypeScript, stripTypes } from './stripTypes.js';

type Node = ReturnType<typeof parseTypeScript>['topNode'];

export interface ReadFile {
  exercise: ExerciseNumber;
  /** The code by name. */
  lines: ReadonlyMap<string, string>;
  /** Code above the lines; empty if there is none. */
  top: string;
  /** Keys that are not lines of the exercise. */
  strays: readonly string[];
  /** What the page cannot take over, in sentences. */
  notes: readonly string[];
}

/** A file that is not an exercise. The message says what is missing. */
export class NoExerciseError extends Error {
  override name = 'NoExerciseError';
}

/** The lines of each exercise, in order. */
export type Catalogue = readonly {
  number: ExerciseNumber;
  lines: readonly { name: string; forward: readonly string[]; shape: string }[];
}[];

/** @throws NoExerciseError */
export function readExerciseFile(fileName: string, source: string, catalogue: Catalogue): ReadFile {
  const { text, broken } = withoutBroken(source.replace(/^\uFEFF/, '').replaceAll('\r\n', '\n'), catalogue);
  const { topNode } = parseTypeScript(text);
  const { object, declaration } = exported(topNode, text, fileName);
  const notes = broken.map(({ name, fault }) => `${name} in ${fileName} cannot be read: ${fault}`);
  const entries = entriesOf(object, text, notes);
  for (const { name, code } of broken) entries.set(name, { code, comments: entries.get(name)?.comments ?? [] });
  const exercise = exerciseOf(fileName, text, [...entries.keys()], catalogue, notes);
  const known = catalogue.find(({ number }) => number === exercise)?.lines ?? [];
  const lines = new Map<string, string>();
  for (const { name, forward, shape } of known) {
    const entry = entries.get(name);
    if (entry) lines.set(name, withComments(entry, [...forward, `${name} ${shape}`]));
  }
  const strays = [...entries.keys()].filter((key) => !lines.has(key));
  if (lines.size === 0) throw new NoExerciseError(`${fileName} has no line of Exercise ${exercise}`);
  return { exercise, lines, top: topOf(topNode, text, declaration, notes, fileName), strays, notes };
}

interface BrokenLine {
  name: string;
  code: string;
  fault: string;
}

/**
 * A bracket or a comment that is not closed would swallow the lines after it. Each line ends where the name of the next one begins a row; one
 * that does not end by itself is taken out, and a word of the same place is put in.
 */
function withoutBroken(source: string, catalogue: Catalogue): { text: string; broken: BrokenLine[] } {
  if (!stripTypes(source).isOpen) return { text: source, broken: [] };
  const names = [...new Set(catalogue.flatMap(({ lines }) => lines.map(({ name }) => name)))];
  const rows = new RegExp(`^[ \\t]{0,4}(?:async )?(['"]?)(${names.join('|')})\\1\\s*[:(]|^\\}`, 'gm');
  const starts = [...source.matchAll(rows)];
  const broken: BrokenLine[] = [];
  let text = '';
  let end = 0;
  for (const [i, { index, 0: head, 2: name }] of starts.entries()) {
    const next = starts[i + 1]?.index ?? source.length;
    if (name === undefined) continue;
    const [code = ''] = /^[\s\S]*?(?=,?\s*(?:(?:\/\/.*)?\n\s*)*$)/.exec(source.slice(index, next)) ?? [];
    const { isOpen, fault } = stripTypes(`({${code}})`);
    if (!isOpen) continue;
    const written = head.endsWith(':') ? code.slice(head.length).trim() : code.trim();
    broken.push({ name, code: dedented(written), fault: stripTypes(written).fault?.message ?? fault?.message ?? '' });
    text += `${source.slice(end, index)}  ${name}: 0,${source.slice(index + code.length, next).replace(/^,/, '')}`;
    end = next;
  }
  return { text: text + source.slice(end), broken };
}

/** The object that the file exports by default, and the statement that declares it. */
function exported(top: Node, text: string, fileName: string): { object: Node; declaration?: Node } {
  const statement = top.getChildren('ExportDeclaration').find((node) => node.getChild('default'));
  if (!statement) throw new NoExerciseError(`${fileName} is not an exercise file: it has no \`export default\``);
  const value = withoutCasts(valueAfter(statement, 'default'));
  if (value?.name === 'ObjectExpression') return { object: value };
  const name = value?.name === 'VariableName' ? text.slice(value.from, value.to) : undefined;
  for (const declaration of top.getChildren('VariableDeclaration')) {
    const [variable] = declaration.getChildren('VariableDefinition');
    if (!variable || text.slice(variable.from, variable.to) !== name) continue;
    const object = withoutCasts(valueAfter(declaration, 'Equals'));
    if (object?.name === 'ObjectExpression') return { object, declaration };
  }
  throw new NoExerciseError(`${fileName} is not an exercise file: its default export is not an object with lines`);
}

/** The first node after the one with this name. */
function valueAfter(node: Node, name: string): Node | undefined {
  return node.getChild(name)?.nextSibling ?? undefined;
}

function withoutCasts(node: Node | undefined): Node | undefined {
  if (node?.name === 'ParenthesizedExpression') return withoutCasts(node.firstChild?.nextSibling ?? undefined);
  if (node?.name === 'BinaryExpression' && (node.getChild('satisfies') || node.getChild('as'))) {
    return withoutCasts(node.firstChild ?? undefined);
  }
  return node;
}

interface FileEntry {
  code: string;
  /** The lines of comments above it. */
  comments: readonly string[];
}

function entriesOf(object: Node, text: string, notes: string[]): Map<string, FileEntry> {
  const entries = new Map<string, FileEntry>();
  let comments: string[] = [];
  for (let child = object.firstChild; child; child = child.nextSibling) {
    if (child.name === 'LineComment' || child.name === 'BlockComment') {
      const row = text.slice(text.lastIndexOf('\n', child.from - 1) + 1, child.from);
      if (row.trim() === '') comments.push(text.slice(child.from, child.to));
    }
    if (child.name !== 'Property') continue;
    const entry = entryOf(child, text);
    if (entry) entries.set(entry.key, { code: entry.code, comments });
    else notes.push(`${text.slice(child.from, child.to).split('\n')[0]} is not taken over: it is not a function under a name`);
    comments = [];
  }
  return entries;
}

function entryOf(property: Node, text: string): { key: string; code: string } | undefined {
  const name = property.getChild('PropertyDefinition') ?? property.getChild('String');
  if (!name || property.getChild('get') || property.getChild('set')) return undefined;
  const key = text.slice(name.from, name.to).replace(/^['"]|['"]$/g, '');
  const colon = property.getChild(':');
  const word = property.getChild('async') ? 'async function' : 'function';
  const star = property.getChild('Star') ? '*' : '';
  if (colon) return { key, code: dedented(text.slice(colon.to, property.to).trim()) };
  if (property.getChild('Block')) return { key, code: dedented(`${word}${star} ${text.slice(name.to, property.to)}`) };
  return property.firstChild?.name === 'PropertyDefinition' ? { key, code: key } : undefined;
}

/** Without the indentation of the file. */
function dedented(code: string): string {
  const [, ...rest] = code.split('\n');
  const indented = rest.every((line) => line.startsWith('  ') || line.trim() === '');
  return code.includes('`') || !indented ? code : code.replaceAll('\n  ', '\n');
}

/** The code after the learner's own comments: those of the fresh file are shown beside the line. */
function withComments({ code, comments }: FileEntry, fresh: readonly string[]): string {
  const own = comments.filter((comment) => !fresh.includes(comment.replace(/^\/\/ ?/, '')));
  return [...own, code].join('\n');
}

/** The statements beside the exported object and the imports. */
function topOf(top: Node, text: string, declaration: Node | undefined, notes: string[], fileName: string): string {
  const kept: string[] = [];
  let seen = false;
  for (let node = top.firstChild; node; node = node.nextSibling) {
    const code = text.slice(node.from, node.to);
    if (node.name === 'ImportDeclaration') notes.push(...importNotes(code, fileName));
    else if (node.name === 'ExportDeclaration' && node.getChild('default')) continue;
    else if (declaration && node.from === declaration.from) seen = true;
    // The head of the file and the comments between its parts are not the learner's code.
    else if (!/Comment$/.test(node.name) || (kept.length > 0 && !seen)) kept.push(code);
  }
  return kept.join('\n');
}

function importNotes(code: string, fileName: string): string[] {
  const [, from = ''] = /['"]([^'"]*)['"]\s*;?$/.exec(code) ?? [];
  if (/^import\s+type\b/.test(code)) return [];
  if (from !== 'backprop-ninja' && from !== 'backprop-ninja/dojo') return [`${fileName} imports from ${from}, which the page cannot load`];
  const aliases = [...code.matchAll(/(\w+)\s+as\s+(\w+)/g)].map(
    ([, name, alias]) => `${name} is called ${alias} in ${fileName}: in the page it is ${name}`,
  );
  return aliases;
}

/** Which exercise a file is: by the type that it names, by its name, or by its lines. */
function exerciseOf(fileName: string, text: string, keys: readonly string[], catalogue: Catalogue, notes: string[]): ExerciseNumber {
  const [, said] = /(?::|\bsatisfies|\bas)\s*Exercise([1-4])\b/.exec(text) ?? [];
  const [, called] = /exercise[ _-]?([1-4])/i.exec(fileName) ?? [];
  if (said !== undefined && called !== undefined && said !== called)
    notes.push(`${fileName} says inside that it is Exercise ${said}: its lines are there now`);
  const digit = said ?? called;
  if (digit !== undefined) return Number(digit) as ExerciseNumber;
  const fitting = catalogue.find(({ lines }) => lines.length === keys.length && lines.every(({ name }) => keys.includes(name)));
  const some = fitting ?? catalogue.find(({ lines }) => lines.some(({ name }) => keys.includes(name)));
  if (!some) throw new NoExerciseError(`${fileName} is not an exercise file: its default export has no line of one`);
  return some.number;
}
