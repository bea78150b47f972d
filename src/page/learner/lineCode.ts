/** A line as somebody types or pastes it: the function alone, or with its name before it and a comma behind it, as in a file. */
import { parseTypeScript, stripTypes } from './stripTypes.js';

/**
 * The code of a line. What surrounds it in a file becomes blanks, so that places stay; only the name of a method becomes the word function,
 * which may be longer.
 */
export function codeOf(name: string, text: string): string {
  const key = `(?:${name}|"${name}"|'${name}')`;
  const withName = new RegExp(`^((?:\\s|//[^\\n]*\\n)*)((?:${key}\\s*:)|(?:(async\\s+)?(\\*\\s*)?${key}(?=\\s*\\()))`).exec(text);
  const [, before = '', named = '', async = '', star = ''] = withName ?? [];
  const rest = text.slice(before.length + named.length);
  const isMethod = named !== '' && !named.endsWith(':') && hasBlock(rest);
  const begun = isMethod ? `${async}function${star.trim()}` : named.endsWith(':') ? ' '.repeat(named.length) : named;
  return withoutComma(before + begun + rest);
}

/** Whether parameters and a body follow, as in a method. */
function hasBlock(rest: string): boolean {
  const { topNode } = parseTypeScript(`function${rest}`);
  return topNode.firstChild?.name === 'FunctionDeclaration' && topNode.firstChild.getChild('Block') !== null;
}

/** Whether there is nothing but white space and comments. */
export function isBlank(code: string): boolean {
  const { code: left, isOpen } = stripTypes(code);
  return !isOpen && left.trim() === '';
}

/** Without the comma or semicolon after the last token that is no comment. */
function withoutComma(text: string): string {
  const tree = parseTypeScript(`(${text}\n)`);
  let last: { from: number; to: number; name: string } | undefined;
  tree.iterate({
    enter: ({ from, to, name, node }) => {
      if (!node.firstChild && to > from && !/Comment/.test(name) && to <= text.length + 1) last = { from, to, name };
    },
  });
  const at = (last?.from ?? 0) - 1;
  const token = text.slice(at, (last?.to ?? 0) - 1);
  return token === ',' || token === ';' ? `${text.slice(0, at)} ${text.slice(at + 1)}` : text;
}
