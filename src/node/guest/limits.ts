/** The limits of a guest's process, and how its watchdog reports that it reached one. */

export interface Limits {
  /** Bytes that the process may use. */
  memory: number;
  /** Seconds of computing time for each request. */
  seconds: number;
  /** ID of the process that waits for the results. It is an argument, because that process may end before this thread starts. */
  parent: number;
}

/** The reason why the watchdog ended the process. */
export type Reason = 'memory' | 'timeout';

/** The file descriptor that takes the reason. */
export const REASON_FD = 5;
