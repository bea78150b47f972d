/** Names of tensors that lead to their steps. */
import type { TensorName } from '../../../lesson/entry.js';
import { jumpTo } from './jump.js';

export function Names({ title, names, none }: { title: string; names: readonly TensorName[]; none: string }) {
  return (
    <div>
      <dt>{title}</dt>
      <dd>
        {names.length === 0
          ? none
          : names.map((name) => (
              <button key={name} type="button" class="link" onClick={() => jumpTo(name)}>
                {name}
              </button>
            ))}
      </dd>
    </div>
  );
}
