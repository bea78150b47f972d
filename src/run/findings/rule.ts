import type { Finding, FindingId } from './finding.js';
import type { View } from './view.js';

/** What a rule found. */
export interface Found extends Omit<Finding, 'id' | 'limit' | 'source'> {
  /** If it is another one than the rule's. */
  limit?: number;
}

/** A row of the table of rules. */
export interface Rule {
  id: FindingId;
  /** Healthy networks stay on this side of it; see the measurement beside each limit. */
  limit: number;
  /** Whether a value is worse above the limit, or below it. */
  worse: 'above' | 'below';
  source: string;
  /** Findings that bring this one about: it is not named beside them. */
  explainedBy: readonly FindingId[];
  find(view: View, limit: number): Found | undefined;
}
