/** Completion in the editor of a line: the names that the line may read, with their shapes, and the methods of a tensor. */
import { type Completion, type CompletionContext, type CompletionResult, pickedCompletion } from '@codemirror/autocomplete';
import { syntaxTree } from '@codemirror/language';
import type { EditorState, TransactionSpec } from '@codemirror/state';
import type { EditorView } from '@codemirror/view';
import type { ScopeEntry } from '../../engine/exercises.js';
import { FUNCTIONS, type ReferenceRow, TENSOR_METHODS, TENSOR_STATICS } from '../../learner/tensorReference.js';

function methodOption({ name, call, text }: ReferenceRow, place: number): Completion {
  const property = !call.includes('(');
  return {
    label: name,
    boost: -place,
    detail: call,
    info: text,
    type: property ? 'property' : 'method',
    apply: property ? name : applyCall(name, !/\(\)$/.test(call)),
  };
}

/** Inserts a call, with the cursor between its parentheses if it takes arguments. */
function applyCall(name: string, takes: boolean) {
  return (view: EditorView, completion: Completion, from: number, to: number): void => {
    const called = view.state.sliceDoc(to, to + 1) === '(';
    const insert = called ? name : `${name}()`;
    const anchor = from + name.length + (called || takes ? 1 : 2);
    view.dispatch({ changes: { from, to, insert }, selection: { anchor }, annotations: pickedCompletion.of(completion) });
  };
}

/** The end of the names between the braces of a line, if a name is missing there. */
function placeInBraces(state: EditorState, name: string, at: number): TransactionSpec['changes'] | undefined {
  let place: { from: number; to?: number; insert: string } | undefined;
  let done = false;
  syntaxTree(state).iterate({
    enter: ({ node }) => {
      if (done || node.name !== 'ParamList') return !done;
      done = true;
      const pattern = node.getChild('ObjectPattern');
      if (!pattern || (at >= pattern.from && at <= pattern.to)) return false;
      const named = pattern.getChildren('PatternProperty');
      const last = named.at(-1);
      if (!last) place = { from: pattern.from + 1, to: pattern.to - 1, insert: ` ${name} ` };
      else if (!named.some(({ from, to }) => state.sliceDoc(from, to).split(/[\s:=]/)[0] === name))
        place = { from: last.to, insert: `, ${name}` };
      return false;
    },
  });
  return place;
}

/** Inserts a name, and names it between the braces of the line, too. */
export function insertName(view: EditorView, name: string, from: number, to: number, completion?: Completion): void {
  const braces = placeInBraces(view.state, name, from);
  const changes = view.state.changes([{ from, to, insert: name }, ...(braces ? [braces].flat() : [])] as { from: number }[]);
  view.dispatch({
    changes,
    selection: { anchor: changes.mapPos(to, 1) },
    userEvent: 'input.complete',
    ...(completion && { annotations: pickedCompletion.of(completion) }),
  });
}

/** The gradients next above the line come first. */
function scopeOption({ name, shape, here, kind }: ScopeEntry, place: number): Completion {
  return {
    label: name,
    boost: -place,
    detail: shape === '' ? 'the batch size' : shape,
    info: kind === 'indices' ? `a list of indices ${here}: ${name}.data[i]` : here,
    type: kind === 'gradient' ? 'keyword' : 'variable',
    apply: (view, completion, from, to) => insertName(view, name, from, to, completion),
  };
}

function functionOption({ name, call, text }: ReferenceRow): Completion {
  return { label: name, detail: call, info: text, type: 'function', apply: applyCall(name, name !== 'todo') };
}

const METHODS = TENSOR_METHODS.map(methodOption);
const STATICS = TENSOR_STATICS.map(methodOption);
const INDEX_LIST: readonly Completion[] = ['data', 'shape'].map((label) => ({ label, type: 'property' }));

/** @param scope the names that the line may read */
export function completionOf(scope: readonly ScopeEntry[]) {
  const names: Completion[] = [
    ...scope.map(scopeOption),
    { label: 'Tensor', detail: 'Tensor.oneHot, …', type: 'class' },
    ...FUNCTIONS.map(functionOption),
  ];
  return (context: CompletionContext): CompletionResult | null => {
    const inside = syntaxTree(context.state).resolveInner(context.pos, -1).name;
    if (/Comment|String|TemplateString|TypeName/.test(inside)) return null;
    const member = context.matchBefore(/\.\s*\w*/);
    if (member) {
      const before = context.state.sliceDoc(0, member.from);
      const receiver = /(\w+)\s*$/.exec(before)?.[1];
      if (/^\d+$/.test(receiver ?? '') || receiver === 'n' || receiver === 'Math') return null;
      const word = context.matchBefore(/\w*/);
      const options = receiver === 'Tensor' ? STATICS : receiver === 'Xb' || receiver === 'Yb' ? INDEX_LIST : METHODS;
      return { from: word?.from ?? context.pos, options, validFor: /^\w*$/ };
    }
    const word = context.matchBefore(/[A-Za-z_]\w*/);
    if (!word && !context.explicit) return null;
    return { from: word?.from ?? context.pos, options: names, validFor: /^\w*$/ };
  };
}
