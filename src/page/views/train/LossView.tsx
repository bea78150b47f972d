/** The losses so far, and what counting letters achieves. */
import { useMemo } from 'preact/hooks';
import { CurveChart } from '../../parts/CurveChart.js';
import { showLoss } from '../../parts/numbers.js';
import { course, live } from './live.js';

export function LossView() {
  const { train, val } = course.value;
  const { info, step = 0 } = live.value ?? {};
  const levels = useMemo(() => {
    if (!info) return [];
    const { uniform, bigram, fourGram } = info.baselines;
    return [
      { name: `uniform ${showLoss(uniform)}`, value: uniform },
      { name: `bigrams ${showLoss(bigram)}`, value: bigram },
      { name: `4-grams ${showLoss(fourGram)}`, value: fourGram },
    ];
  }, [info]);
  const curves = useMemo(
    () => [
      { name: 'training', points: train },
      { name: 'validation', points: val },
    ],
    [train, val],
  );
  const end = Math.min(info?.config.steps ?? 1, roundUp(step));
  return <CurveChart title="Loss in nats per character" curves={curves} levels={levels} end={end} log format={showLoss} />;
}

/** 1, 2 or 5 times a power of ten, at least 100: the axis moves seldom. */
function roundUp(step: number): number {
  for (let ten = 100; ; ten *= 10) {
    for (const end of [ten, 2 * ten, 5 * ten]) if (end >= step) return end;
  }
}
