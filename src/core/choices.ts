/** What may be chosen, in a file of its own: --help says it, and loads nothing of what it is about. */

/** How a batch's examples are drawn: each from all of them, or in epochs, in which each comes once. */
export const SAMPLINGS = ['replacement', 'epochs'] as const;
export type Sampling = (typeof SAMPLINGS)[number];

/** More blocks than batch norm and tanh can be trained through; a file or an option that asks for a million must ask for no memory. */
export const MAX_BLOCKS = 16;

export const OPTIMIZERS = ['sgd', 'momentum', 'nesterov', 'adam', 'adamw'] as const;
export type OptimizerName = (typeof OPTIMIZERS)[number];

export const SCHEDULES = ['step', 'constant', 'linear', 'cosine'] as const;
