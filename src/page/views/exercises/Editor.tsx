/** The editor of a line: CodeMirror in a shadow root, where its styles are allowed by the page's policy. */
import { autocompletion, completionKeymap } from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands';
import { javascript } from '@codemirror/lang-javascript';
import { bracketMatching, HighlightStyle, indentOnInput, syntaxHighlighting } from '@codemirror/language';
import { Compartment, EditorState, type Extension, Prec, StateEffect, StateField } from '@codemirror/state';
import { Decoration, type DecorationSet, drawSelection, EditorView, hoverTooltip, keymap, placeholder } from '@codemirror/view';
import type { Tag } from '@lezer/highlight';
import { tags } from '@lezer/highlight';
import { useEffect, useRef } from 'preact/hooks';
import type { ScopeEntry } from '../../engine/exercises.js';
import type { SyntaxFault } from '../../learner/stripTypes.js';
import { completionOf, insertName } from './completion.js';
import { describeWord } from './describeWord.js';

/** What others may do with an editor. */
interface OpenEditor {
  /** Inserts a name at the cursor. */
  insert(name: string): void;
  focus(): void;
}

interface EditorProps {
  /** What the editor is for, for a screen reader. */
  label: string;
  /** The text when this was rendered: when it changes, the editor follows. */
  text: string;
  /** The text now. The editor may be ahead of what was rendered. */
  readText(): string;
  onChange(text: string): void;
  /** Names for the completion and for what is shown over a word. */
  scope: readonly ScopeEntry[];
  /** Ctrl+Enter */
  onCheck(): void;
  /** Alt+Up and Alt+Down. */
  onMove(by: 1 | -1): void;
  fault?: SyntaxFault | undefined;
  onReady?: ((editor: OpenEditor) => void) | undefined;
}

const setFault = StateEffect.define<SyntaxFault | undefined>();
const faultMark = Decoration.mark({ class: 'cm-fault' });

/** The place that cannot be read, until the text changes there. */
const faultField = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update: (marks, transaction) => {
    for (const effect of transaction.effects) {
      if (!effect.is(setFault)) continue;
      const { from, to } = effect.value ?? { from: 0, to: 0 };
      const end = Math.min(to, transaction.newDoc.length);
      return from < end ? Decoration.set([faultMark.range(from, end)]) : Decoration.none;
    }
    return marks.map(transaction.changes);
  },
  provide: (field) => EditorView.decorations.from(field),
});

const token = (tag: Tag | Tag[], color: string, more: object = {}) => ({ tag: tag as Tag, color, ...more });
const highlighting = HighlightStyle.define([
  token([tags.keyword, tags.operatorKeyword, tags.controlKeyword], 'var(--accent)'),
  token([tags.comment, tags.typeName, tags.meta], 'var(--quiet)'),
  token([tags.number, tags.bool, tags.string, tags.null], 'var(--code-constant)'),
  token([tags.propertyName, tags.function(tags.propertyName)], 'var(--ink)'),
  token([tags.function(tags.variableName), tags.className], 'var(--accent)'),
]);

const theme = EditorView.theme({
  '&': { color: 'var(--ink)', backgroundColor: 'var(--raised)', fontSize: '15px' },
  '&.cm-focused': { outline: '2px solid var(--accent)', outlineOffset: '1px' },
  '.cm-scroller': { fontFamily: 'var(--code)', lineHeight: '1.6', minHeight: '88px' },
  '.cm-content': { padding: '12px 0', caretColor: 'var(--ink)' },
  '.cm-line': { padding: '0 14px' },
  '.cm-cursor': { borderLeftColor: 'var(--ink)', borderLeftWidth: '2px' },
  '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground': {
    background: 'var(--accent-wash)',
  },
  '&.cm-focused .cm-matchingBracket': { backgroundColor: 'var(--accent-wash)', outline: '1px solid var(--line)' },
  '&.cm-focused .cm-nonmatchingBracket': { color: 'var(--wrong)' },
  '.cm-fault': { textDecoration: 'underline wavy var(--wrong)', textUnderlineOffset: '4px', backgroundColor: 'var(--accent-wash)' },
  '.cm-tooltip': { backgroundColor: 'var(--raised)', color: 'var(--ink)', border: '1px solid var(--line)', borderRadius: '6px' },
  '.cm-tooltip.cm-tooltip-autocomplete > ul': { fontFamily: 'var(--code)', fontSize: '14px', maxHeight: '13em' },
  '.cm-tooltip.cm-tooltip-autocomplete > ul > li': { padding: '4px 10px', lineHeight: '1.5' },
  '.cm-tooltip-autocomplete ul li[aria-selected]': { background: 'var(--accent-wash)', color: 'var(--ink)' },
  '.cm-completionDetail': { fontStyle: 'normal', color: 'var(--quiet)', marginLeft: '12px' },
  '.cm-completionMatchedText': { textDecoration: 'none', fontWeight: '600' },
  '.cm-completionIcon': { display: 'none' },
  '.cm-completionInfo, .cm-word': { padding: '6px 10px', fontSize: '14px', fontFamily: 'var(--text)' },
});

function hoverOf(scope: readonly ScopeEntry[]): Extension {
  return hoverTooltip((view, at) => {
    const word = view.state.wordAt(at);
    const text = word && describeWord(view.state.sliceDoc(word.from, word.to), scope);
    if (!word || !text) return null;
    return {
      pos: word.from,
      end: word.to,
      above: true,
      create: () => {
        const dom = document.createElement('div');
        dom.className = 'cm-word';
        dom.textContent = text;
        return { dom };
      },
    };
  });
}

/**
 * Replaces what is selected by what is typed. Left to itself, Chromium keeps the colour of a selected word in a style attribute, which the page's
 * policy forbids.
 */
const typeOver = EditorView.domEventHandlers({
  beforeinput(event, view) {
    if (event.inputType !== 'insertText' || event.data === null || view.composing || view.state.selection.main.empty) return false;
    view.dispatch(view.state.replaceSelection(event.data), { userEvent: 'input.type', scrollIntoView: true });
    event.preventDefault();
    return true;
  },
});

/** What depends on the line. */
function extensionsOf(scope: readonly ScopeEntry[], label: string): Extension {
  return [
    autocompletion({ override: [completionOf(scope)], icons: false, maxRenderedOptions: 60 }),
    hoverOf(scope),
    EditorView.contentAttributes.of({ 'aria-label': label, spellcheck: 'false', autocapitalize: 'off', autocorrect: 'off' }),
  ];
}

export function Editor(props: EditorProps) {
  const host = useRef<HTMLDivElement>(null);
  const editor = useRef<EditorView | undefined>(undefined);
  const latest = useRef(props);
  latest.current = props;
  const variable = useRef(new Compartment());
  useEffect(() => {
    const { text, scope, label } = latest.current;
    const view = createEditor(host.current as HTMLDivElement, latest, text, variable.current.of(extensionsOf(scope, label)));
    editor.current = view;
    latest.current.onReady?.({
      insert: (name) => {
        const { from, to } = view.state.selection.main;
        insertName(view, name, from, to);
        view.focus();
      },
      focus: () => view.focus(),
    });
    return () => view.destroy();
  }, []);
  const { text, scope, label, fault } = props;
  useEffect(() => {
    const view = editor.current;
    const now = latest.current.readText();
    if (view && view.state.doc.toString() !== now) view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: now } });
  }, [text]);
  useEffect(() => {
    editor.current?.dispatch({ effects: variable.current.reconfigure(extensionsOf(scope, label)) });
  }, [scope, label]);
  useEffect(() => {
    editor.current?.dispatch({ effects: setFault.of(fault) });
  }, [fault]);
  return <div ref={host} class="editor" />;
}

function createEditor(host: HTMLDivElement, latest: { readonly current: EditorProps }, text: string, variable: Extension): EditorView {
  const root = host.shadowRoot ?? host.attachShadow({ mode: 'open' });
  const run = (act: () => void) => () => {
    act();
    return true;
  };
  const own = keymap.of([
    { key: 'Mod-Enter', run: run(() => latest.current.onCheck()) },
    { key: 'Alt-ArrowDown', run: run(() => latest.current.onMove(1)) },
    { key: 'Alt-ArrowUp', run: run(() => latest.current.onMove(-1)) },
  ]);
  return new EditorView({
    parent: root,
    root,
    state: EditorState.create({
      doc: text,
      extensions: [
        Prec.highest(own),
        history(),
        drawSelection(),
        indentOnInput(),
        bracketMatching(),
        EditorView.lineWrapping,
        javascript({ typescript: true }),
        syntaxHighlighting(highlighting),
        placeholder('({ … }) => …'),
        faultField,
        typeOver,
        theme,
        variable,
        // Tab is not bound: it leaves the editor.
        keymap.of([...completionKeymap, ...historyKeymap, ...defaultKeymap]),
        EditorView.updateListener.of(({ docChanged, state }) => {
          if (docChanged) latest.current.onChange(state.doc.toString());
        }),
      ],
    }),
  });
}
