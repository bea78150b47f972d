/** The process of a learner's file, as its parent sees it. */
import type { ExerciseNumber } from '../../dojo/exercises.js';
import { type Budget, GuestProcess, ProcessEnded } from '../guest/process.js';
import { LEARNER_PROCESS } from '../paths.js';
import type { Reply, Request } from './protocol.js';
import { readMessage } from './replySchema.js';

/** Gigabytes that the process may use; the file itself needs a tenth. */
const MEMORY_LIMIT = 1;
/** Elapsed seconds per second of computing time. */
const PATIENCE = 12;

export interface LearnerOptions {
  path: string;
  exercise: ExerciseNumber;
  /** Seconds of computing time for each request. */
  seconds: number;
  budget: Budget;
  /** Called with each line of output, which is safe to print. */
  onPrint: (line: string) => void;
  /** Errors after a line that are shown already; it grows. */
  uncaught: Set<string>;
  /** Whether to drop what the file prints while it is loaded: it is loaded again. */
  quiet?: boolean;
}

export class LearnerProcess extends GuestProcess<Request, Reply> {
  constructor({ exercise, ...options }: LearnerOptions) {
    super({
      ...options,
      module: LEARNER_PROCESS,
      assignment: { exercise },
      gigabytes: MEMORY_LIMIT,
      patience: PATIENCE,
      read: readMessage,
    });
  }

  /**
   * The keys of the file's default export.
   * @throws ProcessEnded with the reason why the file cannot run
   * @throws SystemError if the process cannot be started
   */
  async keys(): Promise<string[]> {
    const reply = await this.loaded();
    if (reply.kind === 'loaded') return reply.keys;
    throw new ProcessEnded({ id: 'breaks-channel' });
  }
}
