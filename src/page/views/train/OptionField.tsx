/** One option of the form: what it means, its flag, its value, and what is expected where that cannot be read. */
import { useEffect, useState } from 'preact/hooks';
import { flagName, type OptionRow } from '../../../core/optionRow.js';
import { capitalised } from '../../../core/text.js';
import type { Chosen } from '../../../run/trainCommand.js';
import { set } from '../../state.js';
import { unreadable } from './live.js';
import { fieldId, presetValue, withOption } from './options.js';

/** @param text what is typed and is no value; undefined if it is one */
function mark(key: string, text: string | undefined): void {
  const { value: before } = unreadable;
  if (before.get(key) === text) return;
  const others = [...before].filter(([one]) => one !== key);
  unreadable.value = new Map(text === undefined ? others : [...others, [key, text]]);
}

interface OptionFieldProps {
  row: OptionRow;
  choice: Chosen;
  /** Undefined for none, or for what the data decides. */
  value: unknown;
}

export function OptionField({ row, choice, value }: OptionFieldProps) {
  const { key, description, kind } = row;
  const shown = value === undefined ? '' : kind.show(value);
  /** What is typed and is no value. */
  const [typed, setTyped] = useState<string | undefined>(undefined);
  const [isLeft, setLeft] = useState(false);
  const id = fieldId(row);
  const isInvalid = typed !== undefined && isLeft;
  const isChanged = key in choice.options;
  useEffect(() => {
    setTyped(undefined);
    mark(key, undefined);
  }, [shown]);
  useEffect(() => () => mark(key, undefined), []);
  const write = (text: string) => {
    const read = text.trim() === '' ? undefined : kind.read(text.trim());
    const isRead = text.trim() === '' || read !== undefined;
    setTyped(isRead && read !== undefined && kind.show(read) === text ? undefined : text);
    mark(key, isRead ? undefined : text);
    if (!isRead) return;
    setLeft(false);
    set(withOption(choice, row, read));
  };
  const leave = () => {
    if (typed === undefined) return;
    // A text that can be read is shown as it is read.
    if (typed.trim() === '' || kind.read(typed.trim()) !== undefined) setTyped(undefined);
    else setLeft(true);
  };
  const byPreset = presetValue(choice, row);
  return (
    <div class="train-field" data-changed={isChanged || undefined}>
      <label for={id}>
        {capitalised(description)} <code>{flagName(row)}</code>
      </label>
      <FieldInput id={id} row={row} text={typed ?? shown} isInvalid={isInvalid} onInput={write} onLeave={leave} />
      <p id={`${id}-note`} class={isInvalid ? 'train-expected' : 'train-preset'}>
        {isInvalid
          ? `Expected ${kind.expected}.`
          : isChanged && `Preset: ${byPreset === undefined ? (row.defaultText ?? 'none') : kind.show(byPreset)}`}
      </p>
    </div>
  );
}

interface FieldInputProps {
  id: string;
  row: OptionRow;
  text: string;
  isInvalid: boolean;
  onInput: (text: string) => void;
  onLeave: () => void;
}

/** The control of a kind of value: words to choose from, yes or no, or a text. */
function FieldInput({ id, row: { kind, defaultText }, text, isInvalid, onInput, onLeave }: FieldInputProps) {
  const { stored } = kind;
  const note = `${id}-note`;
  if (stored.type === 'choice') {
    return (
      <select id={id} aria-describedby={note} value={text} onChange={({ currentTarget }) => onInput(currentTarget.value)}>
        {stored.choices.map((one) => (
          <option key={one} value={one}>
            {one}
          </option>
        ))}
      </select>
    );
  }
  if (stored.type === 'flag') {
    return (
      <input
        id={id}
        type="checkbox"
        aria-describedby={note}
        checked={text === 'true'}
        onChange={({ currentTarget }) => onInput(String(currentTarget.checked))}
      />
    );
  }
  return (
    <input
      id={id}
      type="text"
      autocomplete="off"
      spellcheck={false}
      inputMode={stored.type === 'whole' ? 'numeric' : stored.type === 'decimal' ? 'decimal' : 'text'}
      aria-describedby={note}
      aria-invalid={isInvalid || undefined}
      placeholder={defaultText}
      value={text}
      onInput={({ currentTarget }) => onInput(currentTarget.value)}
      onChange={onLeave}
      onBlur={onLeave}
    />
  );
}
