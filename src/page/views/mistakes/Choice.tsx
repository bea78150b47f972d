/** Chooses a mistake: its line, then the mistake. */
import { EXERCISES } from '../../../dojo/exercises.js';
import { MUTANTS, type Mutant } from '../../../dojo/mutants.js';
import { chooseMistake, mutant } from './mistake.js';

/** The lines that have mistakes, in backward order, by exercise. A line is named by exercise and gradient: dlogits is in two of them. */
const lineOf = ({ exercise, line }: Mutant) => `${exercise} ${line}`;
const GROUPS = ([1, 2, 3] as const).map((exercise) => ({
  exercise,
  title: `Exercise ${exercise}: ${EXERCISES[exercise].title}`,
  lines: [...new Set(MUTANTS.filter((one) => one.exercise === exercise).map(({ line }) => line))],
}));

export function Choice() {
  const { value: chosen } = mutant;
  const place = MUTANTS.indexOf(chosen);
  const go = (one: Mutant | undefined) => one && chooseMistake(one.name);
  return (
    <form class="mistakes-choice" aria-label="The mistake" onSubmit={(event) => event.preventDefault()}>
      <h2>Plant a mistake</h2>
      <label>
        Line
        <select
          name="line"
          value={lineOf(chosen)}
          onChange={(event) => go(MUTANTS.find((one) => lineOf(one) === event.currentTarget.value))}
        >
          {GROUPS.map(({ exercise, title, lines }) => (
            <optgroup key={exercise} label={title}>
              {lines.map((line) => (
                <option key={line} value={`${exercise} ${line}`}>
                  {line}
                  {exercise > 1 && ', closed form'}
                </option>
              ))}
            </optgroup>
          ))}
        </select>
      </label>
      <label class="mistakes-choice-long">
        Mistake
        <select name="mistake" value={chosen.name} onChange={(event) => chooseMistake(event.currentTarget.value)}>
          {MUTANTS.filter((one) => lineOf(one) === lineOf(chosen)).map(({ name, mistake }) => (
            <option key={name} value={name}>
              {mistake}
            </option>
          ))}
        </select>
      </label>
      <span class="mistakes-steps">
        <button type="button" disabled={place === 0} onClick={() => go(MUTANTS[place - 1])}>
          <span aria-hidden="true">←</span> Previous
        </button>
        <button type="button" disabled={place === MUTANTS.length - 1} onClick={() => go(MUTANTS[place + 1])}>
          Next <span aria-hidden="true">→</span>
        </button>
      </span>
      <span class="mistakes-place">
        {place + 1} of {MUTANTS.length}
      </span>
    </form>
  );
}
