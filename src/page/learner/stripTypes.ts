/** A learner's TypeScript as JavaScript: types and comments become blanks, so that every character keeps its line and column. */
import { typescriptLanguage } from '@codemirror/lang-javascript';

type Tree = ReturnType<typeof typescriptLanguage.parser.parse>;
type Node = Tree['topNode'];

/** Code that cannot be read: where, and why. */
export interface SyntaxFault {
  from: number;
  to: number;
  message: string;
}

export interface Stripped {
  code: string;
  /** Where the parser stopped; the browser may still be able to read the code. */
  fault?: SyntaxFault;
  /** A bracket, a text or a comment does not end in the code, or a bracket ends what the code does not begin. */
  isOpen: boolean;
}

interface Erased {
  from: number;
  to: number;
  /** A statement ends here that a line break alone would not end. */
  ends?: boolean;
}

export function parseTypeScript(text: string): Tree {
  return typescriptLanguage.parser.parse(text);
}

export function stripTypes(text: string): Stripped {
  const tree = parseTypeScript(text);
  const erased: Erased[] = [];
  tree.iterate({
    enter: ({ node }) => {
      const parts = ERASED[node.name]?.(node, text);
      if (!parts) return true;
      erased.push(...parts);
      // What a whole node is erased with needs no second look.
      return !parts.some(({ from, to }) => from === node.from && to === node.to);
    },
  });
  const { fault, isOpen = false } = faultIn(tree, text, erased);
  return { code: blanked(text, erased), ...(fault && { fault }), isOpen };
}

const whole = ({ from, to }: Node): Erased[] => [{ from, to }];
const statement = (node: Node): Erased[] => [{ from: node.from, to: node.to, ends: true }];
const children = (node: Node, ...names: string[]): Node[] => {
  const found: Node[] = [];
  for (let child = node.firstChild; child; child = child.nextSibling) if (names.includes(child.name)) found.push(child);
  return found;
};
const withoutBody = (node: Node): Erased[] | undefined => (node.getChild('Block') ? undefined : statement(node));

/** What is erased of a node, by its name. */
const ERASED: Readonly<Record<string, (node: Node, text: string) => Erased[] | undefined>> = {
  LineComment: whole,
  BlockComment: whole,
  TypeAnnotation: whole,
  TypePredicate: whole,
  TypeParamList: whole,
  TypeArgList: (node, text) => (isComparison(node, text) ? undefined : whole(node)),
  Optional: (node) => (node.parent?.name === 'ParamList' || node.parent?.name === 'PropertyDeclaration' ? whole(node) : undefined),
  Privacy: whole,
  readonly: whole,
  override: whole,
  InterfaceDeclaration: statement,
  TypeAliasDeclaration: statement,
  AmbientDeclaration: statement,
  FunctionDeclaration: withoutBody,
  MethodDeclaration: withoutBody,
  BinaryExpression: castOf,
  PrefixCast: (node) => (node.lastChild ? [{ from: node.from, to: node.lastChild.from }] : undefined),
  PostfixExpression: (node, text) => markAfter(node.lastChild, text),
  PropertyDeclaration: (node, text) =>
    node.getChild('declare') ? statement(node) : children(node, 'LogicOp').flatMap((mark) => markAfter(mark, text) ?? []),
  VariableDeclaration: (node, text) => children(node, '⚠').flatMap((mark) => markAfter(mark, text) ?? []),
  ClassDeclaration: (node) => children(node, 'abstract').flatMap(whole).concat(implementsOf(node)),
  CatchClause: catchTypeOf,
  ParamList: thisOf,
};

/** `a < b && c > (d)`: the parser takes && for two signs between types. */
function isComparison({ from, to }: Node, text: string): boolean {
  return /&&|\|\|/.test(text.slice(from, to));
}

/** `as X` and `satisfies X`. */
function castOf(node: Node, text: string): Erased[] | undefined {
  const [word] = children(node, 'as', 'satisfies');
  if (!word) return undefined;
  // The parser takes a bracket in the next line for a call or an index, which TypeScript does not.
  const ends = /^\s*\n\s*[([`]/.test(text.slice(node.to)) && node.parent?.firstChild?.from === node.from;
  return [{ from: word.from, to: node.to, ends }];
}

/** The ! of `x!` and of `let x!: T`. */
function markAfter(mark: Node | null, text: string): Erased[] | undefined {
  return mark && text.slice(mark.from, mark.to) === '!' ? whole(mark) : undefined;
}

function implementsOf(node: Node): Erased[] {
  const [word] = children(node, 'implements');
  const body = node.getChild('ClassBody');
  return word && body ? [{ from: word.from, to: body.from }] : [];
}

/** `catch (error: unknown)`, which the parser does not know. */
function catchTypeOf(node: Node): Erased[] | undefined {
  const [name, body] = [node.getChild('VariableDefinition'), node.getChild('Block')];
  const colon = name?.nextSibling;
  if (!name || !body || colon?.name !== '⚠') return undefined;
  const closing = body.prevSibling;
  return closing && closing.from > name.to ? [{ from: name.to, to: closing.name === ')' ? closing.from : closing.to - 1 }] : undefined;
}

/** The type of `this`, which is no parameter. */
function thisOf(node: Node): Erased[] | undefined {
  const word = node.getChild('this');
  if (!word) return undefined;
  const type = word.nextSibling;
  const comma = type?.nextSibling;
  return [{ from: word.from, to: (comma?.name === ',' ? comma : (type ?? word)).to }];
}

function blanked(text: string, erased: readonly Erased[]): string {
  let code = '';
  let at = 0;
  for (const { from, to, ends } of [...erased].sort((a, b) => a.from - b.from)) {
    if (to <= at) continue;
    const start = Math.max(from, at);
    code += text.slice(at, start);
    // No line break may stand between the parameters of a function and its arrow.
    const beforeArrow = /^\s*=>/.test(text.slice(to));
    const blanks = text.slice(start, to).replace(beforeArrow ? /[\s\S]/g : /[^\n\r]/g, ' ');
    code += ends ? `;${blanks.slice(1)}` : blanks;
    at = to;
  }
  return code + text.slice(at);
}

const PAIRS: Readonly<Record<string, string>> = { ')': '(', ']': '[', '}': '{' };

/** Why the parser stopped: a bracket without its partner, or the first place where it found something else than it expected. */
function faultIn(tree: Tree, text: string, erased: readonly Erased[]): { fault?: SyntaxFault; isOpen?: boolean } {
  let first: { from: number; to: number } | undefined;
  const open: { bracket: string; at: number }[] = [];
  let unmatched: SyntaxFault | undefined;
  let unclosed: SyntaxFault | undefined;
  tree.iterate({
    enter: ({ from, to, type }) => {
      const known = erased.some((one) => one.from <= from && to <= one.to && one.to > one.from);
      if (type.isError && !known) first ??= { from, to };
      const token = text.slice(from, to);
      if (isUnclosed(type.name, token))
        unclosed ??= { from, to: from + 1, message: `this ${/Comment/.test(type.name) ? 'comment' : 'text'} has no end` };
      if (token.length !== 1 || !/^[()[\]{}]$/.test(token) || (type.name !== token && !type.isError)) return;
      const partner = PAIRS[token];
      if (partner === undefined) open.push({ bracket: token, at: from });
      else if (open.at(-1)?.bracket === partner) open.pop();
      else unmatched ??= mismatch(open.at(-1), token, from);
    },
  });
  const left = open.at(-1);
  const unpaired = unmatched ?? (left && { from: left.at, to: left.at + 1, message: `this ${left.bracket} is not closed` });
  if (unclosed) return { fault: unclosed, isOpen: true };
  if (!first) return {};
  return unpaired ? { fault: unpaired, isOpen: true } : { fault: unexpected(first.from, text) };
}

/** Whether the end of a string or of a comment is missing. */
function isUnclosed(name: string, token: string): boolean {
  if (name === 'BlockComment') return token.length < 4 || !token.endsWith('*/');
  return /^(?:String|TemplateString)$/.test(name) && (token.length < 2 || token[0] !== token.at(-1));
}

function mismatch(left: { bracket: string; at: number } | undefined, token: string, at: number): SyntaxFault {
  if (!left) return { from: at, to: at + 1, message: `this ${token} closes nothing` };
  return { from: left.at, to: left.at + 1, message: `this ${left.bracket} is not closed before the ${token}` };
}

function unexpected(at: number, text: string): SyntaxFault {
  const [, blank = '', word = ''] = /^(\s*)([\w$]+|\S)?/.exec(text.slice(at)) ?? [];
  const from = at + blank.length;
  if (word !== '') return { from, to: from + word.length, message: `${word} is not expected here` };
  const last = text.trimEnd().length;
  return { from: Math.max(0, last - 1), to: last, message: 'something is missing at the end' };
}
