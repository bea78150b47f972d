/** The exercises: each line in an editor, checked while you write. */
import { useEffect } from 'preact/hooks';
import { capitalised } from '../../../core/text.js';
import type { ExerciseNumber } from '../../../dojo/exercises.js';
import type { ExerciseEntry, LineEntry } from '../../engine/exercises.js';
import { set, state } from '../../state.js';
import { catalogue, checkRest, loadCatalogue } from './checks.js';
import { Files } from './Files.js';
import { LineList } from './LineList.js';
import { LineWork } from './LineWork.js';
import { followOtherTabs, storageProblem, verdictOf } from './progress.js';
import { Reference } from './Reference.js';
import { Training } from './Training.js';

export function ExercisesView() {
  useEffect(() => {
    loadCatalogue().then(checkRest);
    return followOtherTabs();
  }, []);
  const all = catalogue.value;
  const exercise = all?.find(({ number }) => number === state.value.exercise);
  const line = exercise && lineOf(exercise);
  // The line stays open when it is right: what is chosen without the address goes into it.
  useEffect(() => {
    if (line && state.value.line !== line.name) set({ line: line.name });
  }, [line]);
  if (!all || !exercise || !line) return <p class="waiting">Preparing the exercises …</p>;
  return (
    <div class="exercises">
      <header class="exercises-head">
        <nav class="exercises-nav" aria-label="Exercises">
          {all.map((one) => (
            <ExerciseTab key={one.number} entry={one} open={one === exercise} />
          ))}
        </nav>
      </header>
      <Files exercise={exercise} />
      {storageProblem.value !== undefined && (
        <p class="exercises-notice" role="status">
          {storageProblem.value}
        </p>
      )}
      <p class="exercises-task">
        <b>{capitalised(exercise.title)}.</b> {exercise.task}
      </p>
      <Done exercise={exercise} />
      <LineList exercise={exercise} line={line} />
      <div class="exercises-work">
        <LineWork key={`${exercise.number}.${line.name}`} exercise={exercise} line={line} />
        {exercise.number === 4 && <Training exercise={exercise} />}
      </div>
      <Reference line={line} letters={exercise.letters} />
    </div>
  );
}

/** The line of the address; otherwise the first that is not right. */
function lineOf({ number, lines }: ExerciseEntry): LineEntry {
  const named = lines.find(({ name }) => name === state.value.line);
  return named ?? lines.find(({ name }) => verdictOf(number, name) !== 'right') ?? (lines[0] as LineEntry);
}

function ExerciseTab({ entry: { number, lines }, open }: { entry: ExerciseEntry; open: boolean }) {
  const right = rightOf(number, lines);
  return (
    <button type="button" aria-current={open ? 'page' : undefined} onClick={() => set({ exercise: number, line: null }, 'push')}>
      Exercise {number}{' '}
      <span class="count">
        {right === lines.length && <span class="right">✓ </span>}
        {right} of {lines.length}
      </span>
    </button>
  );
}

function rightOf(number: ExerciseNumber, lines: readonly LineEntry[]): number {
  return lines.filter(({ name }) => verdictOf(number, name) === 'right').length;
}

/** What follows when all lines are right. */
function Done({ exercise: { number, lines } }: { exercise: ExerciseEntry }) {
  if (rightOf(number, lines) < lines.length) return null;
  const next = number === 4 ? undefined : ((number + 1) as ExerciseNumber);
  return (
    <p class="done" role="status">
      <span class="right">✓ {lines.length === 1 ? 'Right' : `All ${lines.length} lines are right`}.</span>{' '}
      {next === undefined ? (
        'You have written the whole backward pass.'
      ) : (
        <button type="button" onClick={() => set({ exercise: next, line: null }, 'push')}>
          Exercise {next} <span aria-hidden="true">→</span>
        </button>
      )}
    </p>
  );
}
