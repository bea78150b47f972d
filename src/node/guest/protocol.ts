/** What every guest's process gets and may send at any time. Requests and replies are the guest's own. */
import type { LoadFault, Thrown } from '../../dojo/findings.js';
import type { Limits } from './limits.js';

export interface GuestAssignment {
  /** The guest's file. */
  path: string;
  limits: Limits;
}

/** Sent at any time. */
export type Notice =
  /** An error that nothing caught. */
  | { kind: 'uncaught'; thrown: Thrown }
  /** The file cannot be loaded, or it is about to end the process. */
  | { kind: 'stopped'; fault: LoadFault };
