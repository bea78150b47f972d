/** A line as somebody types or pastes it: the function alone, or with its name before it and a comma behind it, as in a file. */
import { parseTypeScript } from './stripTypes.js';

/** The code of a line; what surrounds it in a file becomes blanks, so that places stay. */
export function codeOf(name: string, text: string): string {
  const withName = new RegExp(`^((?:\\s|//[^\\n]*\\n)*)((?:${name}|"${name}"|'${name}')\\s*:)`).exec(text);
  const [, before = '', named = ''] = withName ?? [];
  const begun = before + ' '.repeat(named.length) + text.slice(before.length + named.length);
  return withoutComma(begun);
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
