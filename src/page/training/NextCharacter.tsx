/** What the network expects after a typed prefix: the probability of each next character. */
import { useId, useMemo, useState } from 'preact/hooks';
import { NumericalError } from '../../core/errors.js';
import type { FloatArray, Tensor } from '../../core/tensor.js';
import { countOf } from '../../core/text.js';
import { vocabularyIndex } from '../../data/vocabulary.js';
import { contextOf, NextCharacter as Network } from '../../evaluation/nextCharacter.js';
import type { ModelConfig } from '../../network/parameters.js';
import { characterText } from './characterText.js';
import { percent } from './Distributions.js';

interface NextCharacterProps {
  config: ModelConfig;
  vocabulary: readonly string[];
  /** Parameters and calibrated statistics, by name. */
  tensors: Readonly<Record<string, Pick<Tensor, 'data'>>>;
  /** The prefix at first. */
  prefix?: string | undefined;
  onPrefix?: (prefix: string) => void;
}

/** The likeliest characters that are shown at first. */
const SHOWN = 12;

export function NextCharacter({ config, vocabulary, tensors, prefix: first = '', onPrefix }: NextCharacterProps) {
  const [prefix, setOwn] = useState(first);
  const setPrefix = (to: string) => {
    setOwn(to);
    onPrefix?.(to);
  };
  const [all, setAll] = useState(false);
  const id = useId();
  const network = useMemo(() => new Network(config, tensors), [config, tensors]);
  const { indices, unknown } = useMemo(() => readPrefix(prefix, vocabulary), [prefix, vocabulary]);
  const found = useMemo(() => probabilities(network, indices), [network, indices]);
  const order = typeof found === 'string' ? [] : Array.from(found.keys()).sort((a, b) => found[b] - found[a] || a - b);
  const shown = all ? order : order.slice(0, SHOWN);
  return (
    <div class="next-character">
      <label for={id}>The beginning of a name</label>
      <input
        id={id}
        type="text"
        value={prefix}
        autocomplete="off"
        autocapitalize="off"
        spellcheck={false}
        aria-describedby={`${id}-said`}
        onInput={({ currentTarget }) => setPrefix(currentTarget.value)}
      />
      <p id={`${id}-said`} role="status">
        {unknown.length > 0 && <span class="wrong">{unknownText(unknown, vocabulary)} </span>}
        {typeof found === 'string' ? found : <Seen indices={indices} config={config} vocabulary={vocabulary} likeliest={order[0]} />}
      </p>
      {typeof found !== 'string' && (
        <ol class="next-bars">
          {shown.map((v) => (
            <li key={v}>
              <Bar
                text={characterText(vocabulary[v], v)}
                share={found[v]}
                most={found[order[0]]}
                onChoose={v === 0 ? undefined : () => setPrefix(indices.map((index) => vocabulary[index]).join('') + vocabulary[v])}
              />
            </li>
          ))}
        </ol>
      )}
      {order.length > SHOWN && (
        <button type="button" class="plain" onClick={() => setAll(!all)}>
          {all ? `Show the ${SHOWN} likeliest` : `Show all ${order.length} characters`}
        </button>
      )}
    </div>
  );
}

/** Where characters are not known to the network, they are left out. */
function readPrefix(prefix: string, vocabulary: readonly string[]): { indices: number[]; unknown: string[] } {
  const indexOf = vocabularyIndex(vocabulary);
  const characters = [...prefix];
  const indices = characters.flatMap((character) => indexOf.get(character) || []);
  return { indices, unknown: [...new Set(characters.filter((character) => !indexOf.get(character)))] };
}

function unknownText(unknown: readonly string[], vocabulary: readonly string[]): string {
  const named = unknown.map((character) =>
    character === vocabulary[0] ? `${character} (the end of a name)` : characterText(character, 1),
  );
  const [are, it] = unknown.length === 1 ? ['is', 'it is'] : ['are', 'they are'];
  return `${named.join(' ')} ${are} not among the ${countOf(vocabulary.length - 1, 'character')} of its data, so ${it} left out.`;
}

/** @returns why there are none, if a number is not finite */
function probabilities(network: Network, indices: readonly number[]): FloatArray | string {
  try {
    return network.after(indices);
  } catch (error) {
    if (!(error instanceof NumericalError)) throw error;
    return `${error.message}.`;
  }
}

interface SeenProps {
  indices: readonly number[];
  config: ModelConfig;
  vocabulary: readonly string[];
  likeliest: number;
}

function Seen({ indices, config, vocabulary, likeliest }: SeenProps) {
  const context = contextOf(indices, config.context).map((v) => (v === 0 ? vocabulary[0] : characterText(vocabulary[v], v)));
  return (
    <>
      It sees <code>{context.join(' ')}</code>, and expects{' '}
      {likeliest === 0 ? 'the end' : <code>{characterText(vocabulary[likeliest], likeliest)}</code>} first of all.
    </>
  );
}

interface BarProps {
  text: string;
  /** Its probability, and the largest one. */
  share: number;
  most: number;
  onChoose: (() => void) | undefined;
}

/** A click appends the character. */
function Bar({ text, share, most, onChoose }: BarProps) {
  const content = (
    <>
      <span class="next-name">{text}</span>
      <span class="next-bar">
        <span style={{ width: `${(100 * share) / most}%` }} />
      </span>
      <span class="next-share">{percent(share)}</span>
    </>
  );
  if (!onChoose) return <span class="next-row">{content}</span>;
  return (
    <button type="button" class="next-row" title={`Append ${text}`} onClick={onChoose}>
      {content}
    </button>
  );
}
