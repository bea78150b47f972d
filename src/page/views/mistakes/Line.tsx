/** The line as the lesson has it, and with the mistake. */
import mistakes from 'bundled:mistakes';
import { EXERCISES } from '../../../dojo/exercises.js';
import type { Mutant } from '../../../dojo/mutants.js';
import { SOLUTION_TEXTS } from '../../../dojo/texts.js';
import { jumpTo } from '../pass/jump.js';
import { differingParts, type Parts } from './differingParts.js';

/** The lines of the bank as text. Those that a function makes have none. */
const MISTAKE_TEXTS: Readonly<Record<string, string>> = JSON.parse(mistakes);

/** Between the input of a line and its body. */
const ARROW = '=>';

/** A line of the lesson, its body indented by two spaces. */
function lessonText({ exercise, line }: Mutant): string {
  const source = EXERCISES[exercise].lines.find(({ name }) => name === line)?.source ?? 'exercise1';
  const { parameters = '', body = '' } = SOLUTION_TEXTS[source][line] ?? {};
  return `${parameters} ${ARROW}${body.replaceAll('\n    ', '\n  ')}`;
}

export function Line({ mutant }: { mutant: Mutant }) {
  const { name, line, mistake, invisibleEndToEnd } = mutant;
  const right = lessonText(mutant);
  const planted = MISTAKE_TEXTS[name];
  const whole: Parts = [right, '', ''];
  const [lesson, wrong] = planted === undefined ? [[whole], undefined] : inParts(right, planted);
  return (
    <section class="mistakes-line" aria-labelledby="mistakes-line">
      <h3 id="mistakes-line">
        <code>{line}</code>: {mistake}
      </h3>
      <p class="mistakes-label">As the lesson has it</p>
      <pre class="code-block">
        <code>
          {line}: <Marked halves={lesson} />
        </code>
      </pre>
      <p class="mistakes-label">With the mistake</p>
      {wrong ? (
        <pre class="code-block">
          <code>
            {line}: <Marked halves={wrong} />
          </code>
        </pre>
      ) : (
        <p>The same line, but: {mistake}.</p>
      )}
      {invisibleEndToEnd !== undefined && (
        <p class="mistakes-invisible">
          <b>Invisible.</b> {invisibleEndToEnd}: no comparison of losses sees this mistake, only a check of the line alone does.
        </p>
      )}
      <button type="button" onClick={() => jumpTo(line)}>
        Show {line} in the pass
      </button>
    </section>
  );
}

/** The input and the body of both lines, each with what differs in the middle. */
function inParts(right: string, planted: string): [Parts[], Parts[]] {
  const [a, b] = [right, planted].map((text) => {
    const at = text.indexOf(ARROW);
    return [text.slice(0, at), text.slice(at)] as const;
  }) as [readonly [string, string], readonly [string, string]];
  const [input, body] = [differingParts(a[0], b[0]), differingParts(a[1], b[1])];
  return [
    [input[0], body[0]],
    [input[1], body[1]],
  ];
}

function Marked({ halves }: { halves: readonly Parts[] }) {
  return halves.map(([before, middle, after]) => (
    <>
      {before}
      {middle !== '' && <mark>{middle}</mark>}
      {after}
    </>
  ));
}
