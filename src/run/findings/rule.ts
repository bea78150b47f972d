import type { Finding, FindingId } from './finding.js';
import type { View } from './view.js';

/** What a rule found. */
export interface Found extends Omit<Finding, 'id' | 'limit' | 'source'> {
  /** If it is another one than the rule's. */
  limit?: number;
  /** How bad it is, 1 and more, if not by how many times the value is beyond the limit. */
  excess?: number;
}

/** A row of the table of rules. */
export interface Rule {
  id: FindingId;
  /** Healthy networks stay on this side of it; see the measurement beside each limit. */
  limit: number;
  /** Whether a value is worse above the limit, or below it. */
  worse: 'above' | 'below';
  source: string;
  /** Findings that bring about what this rule finds: it is not named beside them. Other rules of the same id may find it all the same. */
  explainedBy: readonly FindingId[];
  find(view: View, limit: number): Found | undefined;
}
