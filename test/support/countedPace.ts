import type { Backend } from '../../src/backend/backend.js';
import type { Pace } from '../../src/backend/pace.js';

/** The units that a pace was told of: whether each was like the others. */
export interface CountedPace extends Pace {
  readonly units: boolean[];
  /** Whether a unit is being done. */
  isOpen: boolean;
}

/** The backend with paces that count. */
export function withCountedPaces(backend: Backend): { backend: Backend; paces: CountedPace[] } {
  const paces: CountedPace[] = [];
  const newPace = () => {
    const pace: CountedPace = {
      units: [],
      isOpen: false,
      begin: () => {
        pace.isOpen = true;
      },
      end: (isTypical) => {
        if (pace.isOpen) pace.units.push(isTypical);
        pace.isOpen = false;
      },
    };
    paces.push(pace);
    return pace;
  };
  return { backend: { ...backend, newPace }, paces };
}
