interface MeanState {
  /** The exponential mean before bias correction. */
  smoothed: number;
  /** The sum of the weights of all values so far; it corrects the start at 0. */
  weight: number;
}

/** The bias-corrected exponential mean of a series. */
export class ExponentialMean {
  readonly #rate: number;
  #smoothed: number;
  #weight: number;

  /**
   * @param rate the weight of a new value: the mean is over about the last 1 / rate values
   * @param from continues from this state
   */
  constructor(rate: number, { smoothed, weight }: MeanState = { smoothed: 0, weight: 0 }) {
    this.#rate = rate;
    this.#smoothed = smoothed;
    this.#weight = weight;
  }

  add(value: number): void {
    this.#smoothed += this.#rate * (value - this.#smoothed);
    this.#weight += this.#rate * (1 - this.#weight);
  }

  /** NaN before the first value. */
  get value(): number {
    return this.#smoothed / this.#weight;
  }

  get state(): MeanState {
    return { smoothed: this.#smoothed, weight: this.#weight };
  }
}
