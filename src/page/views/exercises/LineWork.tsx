/** One line: what it reads in the forward pass, its editor, and what the check says. */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { ExerciseEntry, LineEntry } from '../../engine/exercises.js';
import { set } from '../../state.js';
import { check, isChecking, latestResult, openLine, resultOf, waits, written } from './checks.js';
import { Editor } from './Editor.js';
import { Findings } from './Findings.js';
import { Hints } from './Hints.js';
import { textOf, write } from './progress.js';
import { inserter, moved } from './Reference.js';

/** Milliseconds after the last key until the line is checked. */
const PAUSE = 400;

interface LineProps {
  exercise: ExerciseEntry;
  line: LineEntry;
}

export function LineWork({ exercise, line }: LineProps) {
  const { number, lines } = exercise;
  const { name, shape } = line;
  const timer = useRef(0);
  const text = written(number, line);
  const top = textOf(number, 'top') ?? '';
  const checkNow = () => {
    clearTimeout(timer.current);
    check(number, line);
  };
  const later = () => {
    clearTimeout(timer.current);
    timer.current = setTimeout(checkNow, PAUSE);
  };
  useEffect(() => {
    if (text !== line.stub && !resultOf(number, line) && !waits(number, line)) later();
    return () => clearTimeout(timer.current);
  }, [text, top]);
  useEffect(() => openLine(number, name), []);
  const place = lines.indexOf(line);
  const go = (by: 1 | -1) => {
    const to = lines[place + by];
    if (to) set({ line: to.name }, 'push');
  };
  const checked = resultOf(number, line);
  return (
    <section class="line-work" aria-labelledby="line-title">
      <div class="line-head">
        <h2 id="line-title">
          {name} <span class="shape">{shape}</span>
        </h2>
        <p class="line-place">
          Line {place + 1} of {lines.length}
        </p>
        <button type="button" onClick={() => go(-1)} disabled={place === 0}>
          <span aria-hidden="true">←</span> Previous
        </button>
        <button type="button" onClick={() => go(1)} disabled={place === lines.length - 1}>
          Next <span aria-hidden="true">→</span>
        </button>
      </div>
      <div class="forward">
        {line.forward.map((one) => (
          <code key={one}>{one}</code>
        ))}
      </div>
      <Editor
        label={`${name}, a function that returns a tensor ${shape}`}
        text={text}
        readText={() => written(number, line)}
        scope={line.scope}
        fault={checked?.syntax}
        onChange={(next) => write(number, name, next)}
        onCheck={checkNow}
        onMove={(by) => {
          moved.value = true;
          go(by);
        }}
        onReady={(editor) => {
          inserter.value = editor.insert;
          if (moved.value) editor.focus();
          moved.value = false;
        }}
      />
      <Findings
        checked={checked}
        latest={latestResult(number, line)}
        busy={isChecking(number, name)}
        untouched={text === line.stub}
        onCheck={checkNow}
      />
      <TopCode exercise={exercise} line={line} />
      <Hints exercise={exercise} line={line}>
        <StartOver exercise={exercise} line={line} />
      </Hints>
    </section>
  );
}

/** Back to the stub. It can be undone until the line changes again. */
function StartOver({ exercise: { number }, line }: LineProps) {
  const [undone, setUndone] = useState<string | undefined>(undefined);
  const text = written(number, line);
  if (undone !== undefined && text === line.stub) {
    return (
      <p role="status">
        This line is as it was at the start.{' '}
        <button
          type="button"
          onClick={() => {
            write(number, line.name, undone);
            setUndone(undefined);
          }}
        >
          Undo
        </button>
      </p>
    );
  }
  return (
    <button
      type="button"
      disabled={text === line.stub}
      onClick={() => {
        setUndone(text);
        write(number, line.name, line.stub);
      }}
    >
      Start over
    </button>
  );
}

/** The code above the lines, if a file has brought some. */
function TopCode({ exercise: { number }, line }: LineProps) {
  const top = textOf(number, 'top') ?? '';
  // It stays when it is emptied here: who does that may want to write again.
  const shown = useRef(false);
  shown.current ||= top !== '';
  if (!shown.current) return null;
  return (
    <details class="top-code">
      <summary>The code above the lines, which all of them can use</summary>
      <Editor
        label="Code above the lines"
        text={top}
        readText={() => textOf(number, 'top') ?? ''}
        scope={line.scope}
        onChange={(next) => write(number, 'top', next)}
        onCheck={() => check(number, line)}
        onMove={() => {}}
      />
    </details>
  );
}
