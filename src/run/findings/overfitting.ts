/** The rule of overfitting: one for findings and for a report's verdict. All losses in nats. */

/** The rise of the validation loss above its lowest. The whole lesson: 0.003, best: 0. */
export const RISE = 0.1;
/** The gap between training and validation loss, once the validation loss rises, and while it falls: with few names it is wide from the start. */
const WIDE_GAP = { rising: 0.6, falling: 1 } as const;
/** Less than overfitting, but seen. The whole lesson has a gap of 0.04. */
const LITTLE = { rise: 0.02, gap: 0.1 } as const;

/** A training loss and a validation loss of the same network, and the lowest validation loss of its training, with its own. */
export interface SeenLosses {
  train: number;
  val: number;
  lowest: number;
}

export interface Overfitting {
  degree: 'none' | 'a little' | 'overfit';
  /** What is compared with a limit: the gap, or the rise. */
  value: number;
  limit: number;
}

/** How far a network has learned its training names by heart. One that is no better than chance is not asked about. */
export function overfittingOf({ train, val, lowest }: SeenLosses): Overfitting {
  const gap = val - train;
  const rise = Math.max(0, val - lowest);
  const wide = rise > 0 ? WIDE_GAP.rising : WIDE_GAP.falling;
  if (gap > wide) return { degree: 'overfit', value: gap, limit: wide };
  if (rise > RISE && gap > RISE) return { degree: 'overfit', value: rise, limit: RISE };
  const isSeen = gap > LITTLE.gap || (rise > LITTLE.rise && gap > LITTLE.rise);
  return { degree: isSeen ? 'a little' : 'none', value: gap, limit: wide };
}
