/** The options of `train` as a form, made from the table of options. */
import { useMemo } from 'preact/hooks';
import { chosenValues } from '../../../run/trainCommand.js';
import { set } from '../../state.js';
import { choice } from './live.js';
import { OptionField } from './OptionField.js';
import { contradiction, GROUPS, isShown } from './options.js';
import { useIsWide } from './useIsWide.js';

/** The group that most readers leave as it is is closed. */
const OPEN = 2;

export function OptionsForm() {
  const { value: chosen } = choice;
  const values = useMemo(() => chosenValues(chosen), [chosen]);
  const problem = useMemo(() => contradiction(chosen), [chosen]);
  const isWide = useIsWide();
  const changed = Object.keys(chosen.options).length;
  return (
    <details class="train-options" open={isWide}>
      <summary>Options{changed > 0 && `, ${changed} changed`}</summary>
      <form aria-label="Options" onSubmit={(event) => event.preventDefault()}>
        <p class="train-changed">
          {changed === 0 ? (
            `As in the preset ${chosen.preset}.`
          ) : (
            <button type="button" class="link" onClick={() => set({ options: {} })}>
              Undo the changes
            </button>
          )}
        </p>
        <p class="train-problem" role="status">
          {problem !== undefined && (
            <span>
              <b>✗</b> {problem}.
            </span>
          )}
        </p>
        {GROUPS.map(({ title, rows }, i) => (
          <details key={title} class="train-group" open={i < OPEN || rows.some(({ key }) => key in chosen.options)}>
            <summary>{title}</summary>
            {rows
              .filter((row) => isShown(chosen, row, values))
              .map((row) => (
                <OptionField key={row.key} row={row} choice={chosen} value={values[row.key]} />
              ))}
          </details>
        ))}
      </form>
    </details>
  );
}
