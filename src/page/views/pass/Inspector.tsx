/** One entry of a tensor: its value, why it has it, and a proof. */
import { useEffect, useState } from 'preact/hooks';
import { indexAt, indexOfLargest } from '../../../core/numbers.js';
import { entryMeaning } from '../../../dojo/entryMeaning.js';
import { entryText } from '../../../lesson/entry.js';
import type { PassData } from '../../engine/pass.js';
import { positionOf, showNumber } from '../../parts/numbers.js';
import { TensorTable } from '../../parts/TensorTable.js';
import { set } from '../../state.js';
import { INSPECTOR_TITLE, leaveInspector } from './focus.js';
import { type Entry, followTrail, goTo, inspected, inspectedTensor, namedBatch, problem } from './inspected.js';
import { Proof } from './Proof.js';
import { isGradient, valueBehind } from './steps.js';
import { Trail } from './Trail.js';
import { Why } from './Why.js';

export function Inspector({ data }: { data: PassData }) {
  useEffect(followTrail, []);
  const entry = inspected.value;
  return (
    <aside class="inspector" aria-label="Inspector" onKeyDown={(event) => event.key === 'Escape' && leaveInspector()}>
      {entry ? (
        <>
          <Trail />
          <Head entry={entry} data={data} />
          <Why />
          <Proof entry={entry} />
        </>
      ) : (
        <Empty data={data} />
      )}
      <AsTable data={data} />
    </aside>
  );
}

/** What to do, and an entry to begin with. */
function Empty({ data }: { data: PassData }) {
  const name = inspectedTensor();
  const { shape, data: entries } = data.tensors[name];
  const largest = indexAt(indexOfLargest(entries), shape);
  return (
    <div class="inspector-empty">
      <h2 {...INSPECTOR_TITLE}>One entry</h2>
      {problem.value !== undefined && <p>{problem.value}.</p>}
      <p>Choose an entry of a heat map: click it, or move there with the arrow keys and press Enter. You see where its value comes from.</p>
      <button type="button" onClick={() => set({ entry: largest }, 'push')}>
        Look at the largest: <code>{entryText(name, largest)}</code>
      </button>
    </div>
  );
}

/** The value, what its indices mean, and its gradient or the value that it is the gradient of. */
function Head({ entry: { name, at }, data }: { entry: Entry; data: PassData }) {
  const meaning = entryMeaning(name, at, namedBatch(data));
  return (
    <div class="inspector-head">
      <div class="inspector-name">
        <h2 {...INSPECTOR_TITLE}>{entryText(name, at)}</h2>
        <p class="inspector-value">{showNumber(data.tensors[name].data[positionOf(at, data.tensors[name].shape)] as number)}</p>
      </div>
      {meaning !== '' && <p class="inspector-meaning">{meaning}</p>}
      {name !== 'loss' && <Counterpart entry={{ name, at }} data={data} />}
    </div>
  );
}

function Counterpart({ entry: { name, at }, data }: { entry: Entry; data: PassData }) {
  const other = isGradient(name) ? valueBehind(name) : (`d${name}` as Entry['name']);
  const value = data.tensors[other].data[positionOf(at, data.tensors[name].shape)] as number;
  return (
    <p>
      {isGradient(name) ? 'It is the gradient of ' : 'Its gradient is '}
      <button type="button" class="entry-link" onClick={() => goTo({ name: other, at })}>
        {entryText(other, at)}
      </button>{' '}
      <span class="number">{showNumber(value)}</span>
    </p>
  );
}

/** The tensor as a table, for those who do not see its picture. */
function AsTable({ data }: { data: PassData }) {
  const [open, setOpen] = useState(false);
  const name = inspectedTensor();
  const cursor = inspected.value?.at;
  if (data.tensors[name].shape.length === 0) return null;
  return (
    <div class="inspector-table">
      <button type="button" aria-expanded={open} onClick={() => setOpen(!open)}>
        {open ? 'Hide the table of' : 'Show as table:'} <code>{name}</code>
      </button>
      {open && <TensorTable key={name} name={name} tensor={data.tensors[name]} cursor={cursor} />}
    </div>
  );
}
